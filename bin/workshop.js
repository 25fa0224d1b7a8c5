#!/usr/bin/env node
// Runs the TypeScript sources as they are: no build step to remember, and none to forget.
import { register } from 'tsx/esm/api';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`workshop needs Node 20.19 or newer; this is ${process.versions.node}`);
  process.exit(1);
}
register();
const { main } = await import('../src/cli/main.ts');
await main(process.argv.slice(2));
