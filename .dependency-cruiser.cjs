/**
 * Which part may know which: `domain ← protocol ← client ← hooks ← web`, `domain ← log ← presence ← engine ← lib/socket, api`,
 * `domain ← log ← projections ← history ← api`, `protocol ← client ← simulate`. `server.ts` and `projector.ts` put the parts
 * together, and nothing imports them. Within `projections`: `database ← read models ← fold ← checkpoints ← parked ← rebuild`, and
 * `worker` puts these together.
 * That only `config.ts` reads the environment is a rule of the linter (biome.json).
 */

/** Modules of ours; for these rules a part may use whatever npm package and Node module it needs. */
const ours = '^(src|projections|web|test|bench|docs|bin)/';
const npm = (...packages) => `^node_modules/(${packages.join('|')})/`;
const part = (name) => `^src/${name}/`;
const domain = part('domain');
const protocol = part('protocol');
const config = '^src/config\\.ts$';
/** Folders of the projections, from what knows nothing of the others up to the worker. */
const database = '^projections/database/';
const readModels = '^projections/(workshops|attendees|chat|events|feed)/';
const [fold, checkpoints, parked, snapshots, archive, rebuild, erasing, verify, logIdentity, notes] = [
  ...[
    'fold',
    'checkpoints',
    'parked',
    'snapshots',
    'archive',
    'rebuild',
    'erasing',
    'verify',
    'logIdentity',
    'notes',
  ],
].map((name) => `^projections/${name}/`);
/** What runs in the browser of it. */
const pages = '^web/(?!(bundle|licences)\\.ts)';
/** Waiting and trying again, and how much memory there is: anyone's. */
const timing = part('timing');
const memory = part('memory');

/** All that files under `from` may import, npm packages and Node's modules included. */
const only = (name, from, ...allowed) => ({
  name: `${name}-imports-only`,
  comment: `${name} runs in the browser and builds on these alone: ${allowed.join('  ')}`,
  severity: 'error',
  from: { path: from },
  to: { pathNot: [from, ...allowed] },
});

const typesAlone = (name, from, type) => ({
  name: `${name}-knows-types-of`,
  comment: `${name} may import types from ${type}, but nothing that runs`,
  severity: 'error',
  from: { path: from },
  to: { path: type, dependencyTypesNot: ['type-only'] },
});

/** All of our own that files under `from` may import. What `types` adds may be imported as types. */
const builds = (name, from, allowed, types = []) => [
  {
    name: `${name}-builds-on`,
    comment: `${name} may know no other part of ours than: ${[...allowed, ...types].join('  ')}`,
    severity: 'error',
    from: { path: from },
    to: { path: ours, pathNot: [from, timing, memory, ...allowed, ...types] },
  },
  ...types.map((type) => typesAlone(name, from, type)),
];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'two modules that import each other, even as types, are one: take out what both need',
      severity: 'error',
      from: { path: '^(src|projections|web|bench|docs)/' },
      to: { circular: true },
    },
    {
      name: 'resolves',
      comment: 'an import has to lead somewhere',
      severity: 'error',
      // What is beside it in the package alone.
      from: { pathNot: '^packages/server/bin/' },
      to: { couldNotResolve: true },
    },
    {
      name: 'runs-without-dev-dependencies',
      comment: 'an installation with --omit=dev has to run',
      severity: 'error',
      from: { path: '^(src|projections|web|bin)/' },
      // An optional peer is used where it is there.
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm-peer'] },
    },

    only('domain', domain, npm('zod', 'xstate')),
    only('protocol', protocol, domain, npm('zod')),
    only('client', part('client'), domain, protocol, npm('socket\\.io-client')),
    only(
      'hooks',
      part('hooks'),
      domain,
      protocol,
      part('client'),
      npm('(@types/)?react', 'socket\\.io-client'),
    ),
    only(
      'web',
      pages,
      part('history'),
      part('hooks'),
      part('client'),
      protocol,
      npm('(@types/)?react(-dom)?', '@tanstack/react-virtual', 'uplot'),
    ),
    // What the server computes has the shapes that it says.
    typesAlone('web', pages, part('history')),

    ...builds('timing', timing, ['^src/protocol/errors\\.ts$']),
    ...builds('memory', memory, []),
    ...builds('log', part('log'), [domain, '^src/protocol/errors\\.ts$']),
    ...builds('identity', part('identity'), [domain, protocol], [config]),
    ...builds('limits', part('limits'), [domain]),
    ...builds('observe', part('observe'), [domain, protocol], [config, part('log'), part('engine')]),
    ...builds('presence', part('presence'), [domain, part('log')]),
    ...builds('engine', part('engine'), [domain, protocol, part('log'), part('presence')]),
    ...builds('projections', '^projections/', [domain, protocol, part('log'), part('observe')]),
    ...builds('projections-database', database, [protocol]),
    ...builds('projections-read-models', readModels, [domain, protocol, database]),
    ...builds('projections-fold', fold, [domain, part('log'), database, readModels]),
    ...builds('projections-checkpoints', checkpoints, [database, readModels, fold]),
    ...builds('projections-parked', parked, [protocol, database, fold, checkpoints, notes]),
    ...builds('projections-snapshots', snapshots, [domain, database]),
    ...builds('projections-archive', archive, [
      domain,
      protocol,
      part('log'),
      database,
      readModels,
      fold,
      checkpoints,
    ]),
    ...builds('projections-rebuild', rebuild, [part('log'), database, readModels, fold, checkpoints, parked]),
    ...builds('projections-erasing', erasing, [
      ...[domain, part('log'), database, readModels, fold, checkpoints, snapshots, archive, notes],
    ]),
    ...builds('projections-verify', verify, [domain, part('log'), database, readModels, fold]),
    ...builds('projections-notes', notes, [part('log'), database]),
    ...builds('projections-log-identity', logIdentity, [part('log'), database, checkpoints]),
    ...builds('projections-webhooks', '^projections/webhooks/', [protocol, database, notes]),
    ...builds('webhooks', part('webhooks'), [domain, protocol, '^projections/']),
    ...builds('simulate', part('simulate'), [domain, protocol, part('client'), '^src/identity/token.ts$']),
    ...builds('history', part('history'), [domain, protocol, part('log'), '^projections/']),
    ...builds(
      'socket',
      '^src/lib/',
      [
        ...[
          domain,
          protocol,
          part('log'),
          part('engine'),
          part('presence'),
          part('identity'),
          part('limits'),
        ],
        ...[part('observe'), '^src/crons\\.ts$'],
      ],
      [config],
    ),
    ...builds(
      'api',
      part('api'),
      [
        ...[domain, protocol, part('log'), part('engine'), part('identity'), part('limits'), part('observe')],
        ...[part('history'), part('webhooks'), '^projections/'],
      ],
      [config],
    ),

    {
      name: 'no-transport-below',
      comment: 'what decides, keeps and folds knows neither sockets nor HTTP',
      severity: 'error',
      from: { path: ['^src/(log|presence|engine|identity|limits|history)/', '^projections/'] },
      // Reading an address out of headers is no transport.
      to: { path: npm('socket\\.io', 'fastify', '@fastify/(?!proxy-addr)[^/]+') },
    },
    {
      name: 'entrances',
      comment: 'server.ts and projector.ts put the parts together: only the command line starts them',
      severity: 'error',
      from: { path: '^(src|projections|web|bin)/', pathNot: '^src/(cli/|server\\.ts$|assembly\\.ts$)' },
      to: { path: '^src/(server|projector)\\.ts$' },
    },
    {
      name: 'tests-stay-outside',
      comment: 'what is shipped does not import what tests and measures it',
      severity: 'error',
      from: { path: '^(src|projections|web|bin)/' },
      to: { path: '^(test|bench|docs)/' },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // Types count: a part that needs another one's types depends on it.
    tsPreCompilationDeps: 'specify',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
    exclude: { path: '(^(dist|out|examples|test/packages/app|packages/server/bin)/|\\.css$)' },
  },
};
