/** The page as it lies in a folder when it was bundled beforehand: what `BundledPage` in `web/bundle.ts` holds. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder must not be there yet. */
export function writePage(folder, { html, files }) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'page.html'), html);
  const listed = [...files].map(([path, { type, body }], index) => {
    writeFileSync(join(folder, `${index}`), body);
    return { path, type };
  });
  writeFileSync(join(folder, 'files.json'), JSON.stringify(listed));
}

export function pageIn(folder) {
  const listed = JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8'));
  const files = listed.map(({ path, type }, index) => [
    path,
    { type, body: readFileSync(join(folder, `${index}`)) },
  ]);
  return { html: readFileSync(join(folder, 'page.html'), 'utf8'), files: new Map(files) };
}
