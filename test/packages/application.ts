/** The packages as `npm run build` makes them, installed in an application that knows nothing of this repository. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { temporaryFolder } from '../kit/folder.ts';
import { doorOf } from './doors.ts';

const run = promisify(execFile);
export const root = join(import.meta.dirname, '../..');

export interface Application {
  path: string;
  /** Where the packages lie as they were packed. */
  out: string;
  /** By name of the package, each with its file. */
  tarballs: Record<string, string>;
  /** Runs a program of the application, or of this repository where the path is absolute; rejects with all that it wrote. */
  run(command: string, ...args: string[]): Promise<string>;
  /** A module as the application would import it. */
  load<T>(specifier: string): Promise<T>;
  close(): Promise<void>;
}

/** Builds both packages and installs them beside what an application has of its own. Takes most of a minute. */
export async function application(): Promise<Application> {
  const folder = temporaryFolder('application');
  const { path } = folder;
  const out = join(path, 'out');
  await written(run(process.execPath, [join(root, 'packages/build.js'), out], { cwd: root }));
  cpSync(join(import.meta.dirname, 'app'), path, { recursive: true });
  writeFileSync(join(path, 'src/Room.tsx'), doorOf('Use it from your front end'));
  cpSync(join(root, 'examples'), join(path, 'examples'), { recursive: true });
  const { version, dependencies, devDependencies } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const versions = { ...dependencies, ...devDependencies };
  const tarballs = {
    'workshop-rooms': join(out, `workshop-rooms-${version}.tgz`),
    'workshop-rooms-client': join(out, `workshop-rooms-client-${version}.tgz`),
  };
  const own = [
    'socket.io',
    'express',
    'fastify',
    'react',
    'react-dom',
    '@types/node',
    '@types/react',
    '@types/react-dom',
  ];
  const manifest = {
    ...{ private: true, type: 'module' },
    dependencies: {
      ...Object.fromEntries(own.map((name) => [name, versions[name]])),
      ...tarballs,
    },
  };
  await install(path, manifest);
  // For who has not moved yet.
  const older = join(path, 'older');
  mkdirSync(older);
  await install(older, { private: true, dependencies: { react: '^18.3.1', 'react-dom': '^18.3.1' } });
  return {
    ...{ path, out, tarballs },
    run: (command, ...args) => written(run(command, args, { cwd: path })),
    async load(specifier) {
      const entrance = join(path, 'load.mjs');
      writeFileSync(entrance, `export const resolve = (specifier) => import.meta.resolve(specifier);`);
      const { resolve } = await import(pathToFileURL(entrance).href);
      return import(resolve(specifier));
    },
    close: () => folder.close(),
  };
}

/** What a folder's manifest asks for, from the registry or from what npm has kept of it. */
export async function install(cwd: string, manifest: object): Promise<void> {
  writeFileSync(join(cwd, 'package.json'), JSON.stringify(manifest));
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await written(run('npm', ['install', ...quiet], { cwd }));
}

export async function written(running: Promise<{ stdout: string; stderr: string }>): Promise<string> {
  try {
    const { stdout, stderr } = await running;
    return stdout + stderr;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${stdout}${stderr}`.slice(-4_000) || String(error));
  }
}
