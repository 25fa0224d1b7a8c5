/**
 * Runs before the tests, on Node alone: installs what they need and the machine lacks (Debian or Ubuntu, as root or with a
 * sudo that asks nothing), or says which line does. Quiet where nothing is missing. Services are neither started nor kept.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { findRedis, installLine, programs } from './programs.js';

/** The append script carries a `#!lua` line, which Redis knows since this version. */
const oldestRedis = 7;

// Run by root with the packages as arguments. The policy file keeps their services from starting and is taken away again,
// also when the run is interrupted: hence one shell that does it all. What systemd would start at boot is switched off.
const installation = `
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
apt-get -o Acquire::Retries=3 update || echo 'the package lists could not be updated: going on with those at hand'
apt-get -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@"
if [ -d /run/systemd/system ]; then
  for package in "$@"; do
    systemctl disable "$package" || echo "$package has no service"
  done
fi
`;

const missing = programs.filter((program) => program.find() === undefined);
if (missing.length > 0) install(missing);
checkRedisVersion();

function install(missing) {
  const names = missing.map((program) => program.debianPackage);
  const asRoot = rootCommand();
  if (!isDebian() || asRoot === undefined)
    fail(`the tests need ${names.join(', ')}: run  ${installLine(missing)}`);

  console.log(`the tests need ${names.join(', ')}: installing with apt-get …`);
  const [command, ...args] = [...asRoot, 'sh', '-c', installation, 'sh', ...names];
  const run = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  const still = missing.filter((program) => program.find() === undefined);
  if (run.status !== 0 || still.length > 0) {
    console.error(`${run.stdout ?? ''}${run.stderr ?? ''}`.split('\n').slice(-30).join('\n'));
    fail(`apt-get could not install ${names.join(', ')}: run  ${installLine(missing)}`);
  }
}

/** What a command has to start with to run as root without a question, or undefined where that cannot be had. */
function rootCommand() {
  if (process.getuid?.() === 0) return [];
  const sudo = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
  return sudo.status === 0 ? ['sudo', '-n'] : undefined;
}

function isDebian() {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

function checkRedisVersion() {
  const { stdout } = spawnSync(findRedis(), ['--version'], { encoding: 'utf8' });
  const version = /v=(\d+)\S*/.exec(stdout);
  if (version === null || Number(version[1]) < oldestRedis)
    fail(
      `the tests need redis-server ${oldestRedis} or newer, not "${stdout.trim()}": see  https://redis.io/docs/latest/operate/oss_and_stack/install/`,
    );
}

function fail(line) {
  console.error(line);
  process.exit(1);
}
