/** A text as it was written, with its web addresses as links; nothing else in it is markup. */

/** Ends before quotes, brackets and white space; punctuation at its end belongs to the sentence. */
const address = /https?:\/\/[^\s"'<>`()[\]{}]+/gi;
const trailing = /[.,;:!?…]+$/;

export function Linked({ text }: { text: string }) {
  return partsOf(text).map(({ from, part, href }) =>
    href === undefined ? (
      part
    ) : (
      <a key={from} href={href} target="_blank" rel="noopener noreferrer nofollow">
        {part}
      </a>
    ),
  );
}

export interface Part {
  /** Where in the text it begins. */
  from: number;
  part: string;
  href?: string;
}

export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(address)) {
    const part = found.replace(trailing, '');
    if (!URL.canParse(part)) continue;
    if (index > end) parts.push({ from: end, part: text.slice(end, index) });
    parts.push({ from: index, part, href: new URL(part).href });
    end = index + part.length;
  }
  if (end < text.length) parts.push({ from: end, part: text.slice(end) });
  return parts;
}
