/** Where the log's Redis is to be found. */

export interface Endpoint {
  host: string;
  port: number;
}

/** How one signs in to each server of a cluster, or to those that Sentinels name. */
export interface RedisCredentials {
  username?: string | undefined;
  password?: string | undefined;
  tls?: boolean | undefined;
}

/** What Sentinels watch. */
export interface SentinelAddress extends RedisCredentials {
  sentinels: readonly Endpoint[];
  /** By which the Sentinels know the primary. */
  master: string;
  sentinelPassword?: string | undefined;
}

export type RedisAddress =
  /** `redis:`, `rediss:`, or `unix:` with the path of a socket. */
  { url: string } | ({ clusterNodes: readonly Endpoint[] } & RedisCredentials) | SentinelAddress;
