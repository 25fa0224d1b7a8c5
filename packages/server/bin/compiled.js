/** What `workshop.js` runs, compiled when the package was made. */
import { fileURLToPath } from 'node:url';
import { main } from '../dist/main.js';
import { pageIn } from './page.js';

const page = fileURLToPath(new URL('../page', import.meta.url));

export const compiled = async () => ({ main, page: async () => pageIn(page) });
