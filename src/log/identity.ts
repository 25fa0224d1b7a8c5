/** What tells a log from every other one, so that a database knows whose tables it has. */
export interface LogIdentity {
  read(): Promise<Identified>;
  /** Gives the log this identity unless it has one. Answers with what it has then. */
  claim(identity: string): Promise<Identified>;
  /** Gives it this one in any case. */
  change(identity: string): Promise<Identified>;
}

export interface Identified {
  /** Kept in the log, so a copy has it too. Null where it was begun by an older version, or lost everything. */
  identity: string | null;
  /** The run of the store, by which copies are told apart; another one after a restart or a failover. '' where there is no such thing. */
  run: string;
}
