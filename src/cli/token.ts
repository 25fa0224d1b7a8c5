/** `workshop token`: signs in a person with the server's own secret, for a first try and for scripts. */
import { readConfig } from '../config.ts';
import { secretOf } from '../dataFolder.ts';
import { displayName, httpsUrl } from '../domain/text.ts';
import { type CliCommand, CommandFailed, type Given, UsageError, wholeOf } from './command.ts';
import { durationOf } from './terminal.ts';

export const token: CliCommand = {
  name: 'token',
  summary: 'Signs a token with AUTH_SECRET, or with the secret of the data folder, for a first try.',
  usage:
    'workshop token --user <id> --name <name> [--picture <https url>] [--role analyst|admin]… [--expires 1h] [--json]',
  help: {
    '--user': 'the user id: from 1 to below 2^52',
    '--name': 'what others see: 1 to 80 characters',
    '--picture': 'an https address',
    '--role': 'analyst (reads every history) or admin (operates); may be given twice',
    '--expires': 'how long it is valid (1h, if left out): 90s, 12h',
  },
  options: {
    ...{ user: { type: 'string' }, name: { type: 'string' }, picture: { type: 'string' } },
    ...{ role: { type: 'string', multiple: true }, expires: { type: 'string' } },
  },
  async run(given) {
    // Loaded when it is needed: a command line that asks for something else starts faster.
    const { firstGuestId, roles, signToken } = await import('../identity/token.ts');
    const userId = wholeOf(given.values.user);
    if (userId === undefined || userId < 1 || userId >= firstGuestId)
      throw new UsageError(
        '--user: give an id from 1 to below 2^52 (the ids from there on belong to guests)',
      );
    const wanted = words(given.values.role);
    const unknown = wanted.find((role) => !roles.some((each) => each === role));
    if (unknown !== undefined) throw new UsageError(`--role ${unknown}: there are ${roles.join(' and ')}`);
    const claims = {
      ...{ userId, roles: wanted },
      displayName: read(displayName, given, 'name') ?? missing('--name'),
      avatarUrl: read(httpsUrl, given, 'picture'),
      expiresAt: Math.floor((Date.now() + lifetimeOf(given)) / 1_000) * 1_000,
    };
    const signed = await signToken(await signing(), claims);
    const told = { token: signed, userId, expiresAt: new Date(claims.expiresAt).toISOString() };
    process.stdout.write(`${given.values.json === true ? JSON.stringify(told) : signed}\n`);
  },
};

function words(text: string | boolean | undefined): string[] {
  return typeof text === 'string' ? text.split(',') : [];
}

function missing(option: string): never {
  throw new UsageError(`${option} is missing`);
}

/** What the server would refuse in a token is told here. */
function read(
  schema: typeof displayName | typeof httpsUrl,
  { values }: Given,
  option: string,
): string | undefined {
  if (values[option] === undefined) return undefined;
  const parsed = schema.safeParse(values[option]);
  if (!parsed.success) throw new UsageError(`--${option}: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}

function lifetimeOf({ values: { expires = '1h' } }: Given): number {
  const ms = durationOf(String(expires));
  if (ms === undefined || ms < 1_000)
    throw new UsageError(`--expires ${expires} is not a time of a second at least: write it like 1h or 90s`);
  return ms;
}

async function signing() {
  const config = readConfig();
  if (config.AUTH_JWKS_URL !== undefined)
    throw new CommandFailed(
      'AUTH_JWKS_URL is set: tokens are signed by whoever has the keys, and not with a secret (docs/tokens.md)',
    );
  const secret = config.AUTH_SECRET ?? (config.embedded ? await secretOf(config.DATA_DIR) : undefined);
  if (secret !== undefined) return { secret, issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE };
  throw new CommandFailed(
    config.embedded
      ? `there is no AUTH_SECRET, and no secret in ${config.DATA_DIR}: set one, or start the server there once`
      : 'there is no AUTH_SECRET: give the one that the server has',
  );
}
