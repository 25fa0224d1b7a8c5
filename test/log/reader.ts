/** A process that reads the log of the folder it is called with beside the one that writes, and prints what it sees. */
import { writeSync } from 'node:fs';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import { CodedError } from '../../src/protocol/errors.ts';
import { command, send } from './drafts.ts';

const print = (line: string) => writeSync(1, `${line}\n`);

const log = await embeddedLog({ path: process.argv[2] ?? '', readOnly: true });
await send(log, { workshopId: 1 }, command()).catch((error) => {
  print(`write ${error instanceof CodedError ? error.code : error}`);
});
print(`open ${[...(await log.streams.open(0))].map(([id, version]) => `${id}:${version}`)}`);
const tail = log.feed.tail({
  from: new Map([[0, 0]]),
  onBatch({ entries }) {
    for (const entry of entries)
      for (const { version } of entry.events()) print(`${entry.workshopId}:${version}`);
  },
  onError: (error) => print(String(error)),
});
await tail.ready;
print('ready');
