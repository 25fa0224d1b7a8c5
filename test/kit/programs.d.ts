/** Types of `programs.js`, which stays plain JavaScript because the installer runs it on Node alone. */
export interface PostgresPrograms {
  initdb: string;
  postgres: string;
}

export interface Program {
  name: 'redis-server' | 'postgres' | 'pgbouncer' | 'chromium' | 'python3' | 'php';
  debianPackage: string;
  find(): string | PostgresPrograms | undefined;
}

export const programs: readonly Program[];
export function findRedis(): string | undefined;
export function findPostgres(): PostgresPrograms | undefined;
export function findPgbouncer(): string | undefined;
export function findChromium(): string | undefined;
export function installLine(missing: readonly Program[]): string;
export function required(name: Exclude<Program['name'], 'postgres'>): string;
export function required(name: 'postgres'): PostgresPrograms;
