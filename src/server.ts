/**
 * Puts a serving process together: stores, engine, sockets, REST, projector. What runs where is the configuration's matter
 * (`ROLE`); how things work is theirs.
 */
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { highestWorkshopId } from '../projections/workshops/queries.ts';
import { bundlePage } from '../web/bundle.ts';
import { restApi } from './api/rest.ts';
import type { Config } from './config.ts';
import { workshopEngine } from './engine/engine.ts';
import { origins } from './identity/origin.ts';
import { tokens } from './identity/token.ts';
import { workshopSockets } from './lib/socket/index.ts';
import { connect } from './log/redis/connect.ts';
import { metrics } from './observe/metrics.ts';
import { observedProjector } from './projector.ts';
import { openStores, redisAddress } from './stores.ts';
