/** What `package-lock.json` may hold: no version with a known hole that this server would be open to, and no other source than npm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const lock: { packages: Record<string, Entry> } = JSON.parse(
  readFileSync(join(root, 'package-lock.json'), 'utf8'),
);

interface Entry {
  version: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  /** Built for one kind of machine, and locked on another. */
  optional?: boolean;
}

const installed = Object.entries(lock.packages).filter(([path]) => path !== '');

/** Below these they crash, or fill the memory, at the word of anyone who can connect. */
const floors: Record<string, string> = {
  'socket.io-parser': '4.2.7', // GHSA-2m8v-j782-fhvr: attachments
  ws: '8.21.0', // CVE-2026-48779: tiny fragments
  'engine.io': '6.6.2',
  'socket.io': '4.6.2', // CVE-2024-38355: an event called error
};

const numbers = (version: string) => version.split(/[.-]/).slice(0, 3).map(Number);

function isBelow(version: string, floor: string): boolean {
  const [given, least] = [numbers(version), numbers(floor)];
  const differing = least.findIndex((part, index) => part !== given[index]);
  return differing !== -1 && (given[differing] ?? 0) < (least[differing] ?? 0);
}

it.each(Object.entries(floors))('[S20] every copy of %s is %s or newer', (name, floor) => {
  const copies = installed.filter(([path]) => path.endsWith(`node_modules/${name}`));
  expect(copies.length).toBeGreaterThan(0);
  for (const [path, { version }] of copies) expect(isBelow(version, floor), `${path} ${version}`).toBe(false);
});

it('knows which of two versions is older', () => {
  expect(
    ['4.2.6', '4.1.9', '3.9.9', '4.2.7', '4.10.0', '5.0.0'].map((version) => isBelow(version, '4.2.7')),
  ).toEqual([...[true, true, true, false, false, false]]);
});

it('[S20] every package comes from the npm registry, and is what it was when it was locked', () => {
  for (const [path, { resolved, integrity, link, optional }] of installed) {
    // An address that is left out is the registry's.
    if (resolved !== undefined) expect(resolved, path).toMatch(/^https:\/\/registry\.npmjs\.org\//);
    expect(link, path).toBeUndefined();
    if (!optional) expect(integrity, path).toMatch(/^sha512-/);
  }
});

it('names at most 30 packages that it needs to run', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(Object.keys(dependencies).length).toBeLessThanOrEqual(30);
});
