/** `workshop erase-user`: a person's name, picture and messages, taken out of everything that is kept. */
import { readConfig } from '../config.ts';
import { type CliCommand, CommandFailed, idOf } from './command.ts';
import { confirm, needsConfirmation, operatorName, progressBar } from './terminal.ts';

export const eraseUser: CliCommand = {
  name: 'erase-user',
  summary:
    "Takes a person's name, picture and messages out of everything that is kept; counts and order stay.",
  usage: 'workshop erase-user <user id> [--yes] [--json]',
  help: { '--yes': 'do not ask; needed where nobody sits at a terminal' },
  options: { yes: { type: 'boolean' } },
  takesArguments: true,
  async run(given) {
    const userId = idOf(given, 'user');
    const json = given.values.json === true;
    const question = `Erase user ${userId}, in every workshop and for good?`;
    if (needsConfirmation(given.values.yes) && !(await confirm(question)))
      throw new CommandFailed('nobody was erased');
    // Loaded when it is needed: what is wrong usage is told at once.
    const { openOperations } = await import('./openOperations.ts');
    const operations = await openOperations(readConfig(), { wishes: true });
    const bar = progressBar({ shown: !json, what: 'of the workshops' });
    try {
      const done = await operations
        .erase({ userId, by: operatorName() }, (share) => bar.at(share))
        .finally(() => bar.close());
      process.stdout.write(`${json ? JSON.stringify({ userId, ...done }) : outcomeText(userId, done)}\n`);
    } finally {
      await operations.close();
    }
  },
};

function outcomeText(userId: number, done: { workshops: number; events: number; messages: number }): string {
  if (done.workshops === 0) return `nothing of user ${userId} is kept`;
  const { workshops, events, messages } = done;
  if (events === 0)
    return `user ${userId} was erased before, from ${workshops} workshops; there was nothing new`;
  return `user ${userId} is erased from ${workshops} workshops: ${events} events, ${messages} of them messages`;
}
