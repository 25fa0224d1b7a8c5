import { expect, it } from 'vitest';
import { operatorKey } from '../../src/identity/operatorKey.ts';

const key = operatorKey('the key of the folder');

it.each([
  ['127.0.0.1', '127.0.0.1', true],
  ['127.8.8.8', '127.0.0.1', true],
  ['::1', '::1', true],
  ['::ffff:127.0.0.1', '::ffff:127.0.0.1', true],
  // A server that is bound to one address of its machine.
  ['10.0.0.7', '10.0.0.7', true],
  ['10.0.0.8', '10.0.0.7', false],
  ['::ffff:10.0.0.8', '::ffff:10.0.0.7', false],
  ['1.127.0.0', '10.0.0.7', false],
  [undefined, undefined, false],
])('[S32] the key counts from this machine alone: %s to %s', (remoteAddress, localAddress, opens) => {
  expect(key.opens('the key of the folder', { remoteAddress, localAddress })).toBe(opens);
});

it.each(['', 'x', 'the key of the folde', 'the key of the folder ', 'THE KEY OF THE FOLDER'])(
  '[S32] no other key opens anything: %j',
  (given) => {
    expect(key.opens(given, { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1' })).toBe(false);
  },
);
