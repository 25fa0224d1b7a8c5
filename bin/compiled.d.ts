/** Types of `compiled.js`, which stays plain JavaScript because it runs before anything is compiled. */
import type { BundledPage } from '../web/bundle.ts';

export interface Compiled {
  /** The command line. */
  main(words: string[], ready: { page(): Promise<BundledPage> }): Promise<void>;
  page(): Promise<BundledPage>;
}

export function compiled(): Promise<Compiled>;
export function compile(): Promise<string>;
