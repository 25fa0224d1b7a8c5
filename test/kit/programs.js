/**
 * The programs that the tests need beside Node and where they are found: the one definition for the installer and for the
 * servers of the kit. Plain JavaScript on Node alone, since the installer runs before anything else can be relied on.
 */
import { accessSync, constants, readdirSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** What is needed: its Debian package, and how it is found (undefined where it is missing). */
export const programs = [
  { name: 'redis-server', debianPackage: 'redis-server', find: findRedis },
  { name: 'postgres', debianPackage: 'postgresql', find: findPostgres },
  { name: 'pgbouncer', debianPackage: 'pgbouncer', find: findPgbouncer },
  { name: 'chromium', debianPackage: 'chromium', find: findChromium },
  { name: 'python3', debianPackage: 'python3', find: () => onPath('python3') },
  { name: 'php', debianPackage: 'php-cli', find: () => onPath('php') },
];

export function findRedis() {
  return onPath('redis-server');
}

/** `initdb` and `postgres` of one and the same installation: a bare server binary is of no use without its `initdb`. */
export function findPostgres() {
  for (const folder of [...pathFolders(), ...debianPostgresFolders()]) {
    const initdb = executable(join(folder, 'initdb'));
    const postgres = executable(join(folder, 'postgres'));
    if (initdb && postgres && dirname(initdb) === dirname(postgres)) return { initdb, postgres };
  }
  return undefined;
}

export function findPgbouncer() {
  return onPath('pgbouncer');
}

export function findChromium() {
  return onPath('chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome');
}

/** The one line that installs what is missing, for people. */
export function installLine(missing) {
  const packages = missing.map((program) => program.debianPackage).join(' ');
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages}`;
}

/** What `find` found, or an error with the line that installs it. */
export function required(name) {
  const program = programs.find((candidate) => candidate.name === name);
  if (program === undefined) throw new Error(`${name} is not among the programs that the tests know`);
  const found = program.find();
  if (found === undefined) throw new Error(`${name} is missing: run  ${installLine([program])}`);
  return found;
}

function onPath(...names) {
  for (const name of names) {
    for (const folder of pathFolders()) {
      const path = join(folder, name);
      // Not resolved: /usr/bin/redis-server is a link to a binary that goes by the name it was called with.
      if (executable(path)) return path;
    }
  }
  return undefined;
}

function pathFolders() {
  // A cut-down PATH (cron, CI) often lacks what holds the programs.
  const usual = ['/usr/local/bin', '/usr/bin', '/usr/local/sbin', '/usr/sbin'];
  return [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...usual];
}

/** Debian keeps each major version in a folder of its own, outside PATH; the newest comes first. */
function debianPostgresFolders() {
  const root = '/usr/lib/postgresql';
  try {
    const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(root, version, 'bin'));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** The real path, if it is a file that may be executed. */
function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile() ? realpathSync(path) : undefined;
  } catch {
    // Not there, or not for us: either way it is not the one.
    return undefined;
  }
}
