/** `docs/reference/errors.md`: the codes, and what each means to a program. */
import { answerTo } from '../../src/api/errors.ts';
import { refusalCodes } from '../../src/domain/define.ts';
import { CodedError, errorCodes, wireError } from '../../src/protocol/errors.ts';
import { code, codes, heading, page, table } from './markdown.ts';

export function errorsPage(): string {
  return page(
    heading('Error codes', '`src/protocol/errors.ts` and `src/api/errors.ts`'),
    introduction,
    table(
      ['code', 'message', 'retryable', 'HTTP'],
      errorCodes.map((name) => {
        const { message, retryable } = wireError(name);
        return [code(name), message, retryable ? 'yes' : 'no', String(answerTo(new CodedError(name)).status)];
      }),
    ),
    `## Refusals of the domain\n\nA command that was understood and is not done. Where several hold, the first of these answers: ${codes(refusalCodes)}.`,
  );
}

const introduction = `
Programs switch on \`code\`; \`message\` is for people and may say more than the table. \`retryable\` says that the same command,
sent again with the same \`commandId\`, may succeed without anyone changing anything. The one exception is \`conflict\` for a
\`commandId\` that was used for another command, which carries \`retryable: false\`.

Over a socket an error is \`{ code, message, retryable }\`, in the acknowledgement or as \`workshop:error\`; a refused handshake is
a \`connect_error\` whose message is the code. Over REST it is \`{ error: { code, message } }\` with the HTTP status below, and
429 and 503 carry \`Retry-After\`.`;
