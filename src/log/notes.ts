/**
 * What whoever reads the log notes beside it: not events, and not to be had from them. Where the tables are made from the log this is
 * the only place that outlives them.
 */
export interface Notes {
  all(): Promise<Map<string, string>>;
  /** Together or not at all; null takes one away. */
  put(notes: ReadonlyMap<string, string | null>): Promise<void>;
}
