#!/usr/bin/env node
// The command line. What it runs is compiled from the sources when they have changed: see compiled.js.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`workshop needs Node 20.19 or newer; this is ${process.versions.node}`);
  process.exit(1);
}
const { compiled } = await import('./compiled.js');
const { main, page } = await compiled();
await main(process.argv.slice(2), { page });
