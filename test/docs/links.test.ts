/** Relative links of the documents lead to files, and to headings where they name one; paths in backticks exist. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

const documents = [
  ...readdirSync(root).filter((file) => file.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
].sort();

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');

/** A heading's anchor as GitHub makes it. */
function anchorsOf(path: string): Set<string> {
  const headings = [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\- _]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function brokenLinks(document: string): string[] {
  const links = [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? document : join(dirname(document), path);
    if (relative(root, join(root, target)).startsWith('..')) return true;
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !(statSync(join(root, target)).isFile() && anchorsOf(target).has(anchor));
  });
}

/** `src/engine/group.ts` and the like: what a document says of a file has to be about one that exists. */
function missingPaths(document: string): string[] {
  const named = [...read(document).matchAll(/`((?:src|projections|test|web|docs|bench|bin)\/[\w./-]*)`/g)];
  return named.map(([, path = '']) => path).filter((path) => !existsSync(join(root, path)));
}

describe('the documents', () => {
  test('are found', () => {
    expect(documents).toContain('docs/SPEC.md');
    expect(documents).toContain('docs/reference/commands.md');
  });

  test.each(documents)('%s links to nothing that is not there', (document) => {
    expect(brokenLinks(document)).toEqual([]);
  });

  test.each(documents)('%s names no file that is not there', (document) => {
    expect(missingPaths(document)).toEqual([]);
  });
});
