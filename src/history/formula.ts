/**
 * Text that a spreadsheet might take for a formula, made harmless. The rule is OWASP's (CSV Injection): what begins with one of
 * these gets an apostrophe before it, and so does what would begin a cell for a reader that splits at another separator, or
 * that does not honour our quotes.
 */
const atStart = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/u;
const afterSeparator = /([,;\t\r\n"'])(?=[=+\-@＝＋－＠])/gu;

export function formulaSafe(text: string): string {
  const inside = text.replace(afterSeparator, "$1'");
  return atStart.test(inside) ? `'${inside}` : inside;
}

/** Texts inside JSON are made harmless one by one, so that it is JSON still. */
export function formulaSafeJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'string' ? formulaSafe(inner) : inner,
  );
}
