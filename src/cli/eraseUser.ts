/** `workshop erase-user <id>`: a person's name, picture and messages go everywhere; counts and order stay. */
import { readConfig } from '../config.ts';
import { type CliCommand, CommandFailed, UsageError } from './command.ts';
import { confirmed } from './confirm.ts';
import { progressBar } from './progress.ts';

export const eraseUser: CliCommand = {
  name: 'erase-user',
  summary: "Removes a person's name, picture and messages from every workshop; counts and order stay.",
  usage: 'workshop erase-user <user id> [--yes] [--json]',
  help: { '--yes': 'do not ask' },
  options: { yes: { type: 'boolean' } },
  async run({ values, arguments: [text, ...more] }) {
    const userId = Number(text);
    if (text === undefined || more.length > 0) throw new UsageError('give one user id');
    if (!Number.isSafeInteger(userId) || userId < 1) throw new UsageError(`${text} is not a user id`);
    if (values.yes !== true) {
      if (!process.stdin.isTTY) throw new UsageError('nobody is here to be asked: give --yes');
      if (!(await confirmed(`Erase user ${userId} for good? It cannot be taken back.`)))
        throw new CommandFailed('nothing was erased');
    }
    // Loaded when it is needed: what is wrong usage is told at once.
    const { openOperations } = await import('./openOperations.ts');
    const operations = await openOperations(readConfig(), { wishes: true });
    const bar = progressBar({ shown: values.json !== true, what: 'workshops looked at' });
    try {
      for await (const told of operations.erase(userId)) {
        if (told.kind === 'progress') {
          bar.at(told.total === 0 ? 1 : told.done / told.total);
          continue;
        }
        bar.close();
        const { workshops, events, messages } = told;
        process.stdout.write(
          values.json === true
            ? `${JSON.stringify({ userId, workshops, events, messages })}\n`
            : `user ${userId} was erased from ${events} events of ${workshops} workshops, ${messages} of them messages\n`,
        );
      }
    } finally {
      bar.close();
      await operations.close();
    }
  },
};
