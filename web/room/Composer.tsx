/** Where one writes. What is written is kept over a reload. */
import { type FormEvent, useEffect, useState } from 'react';
import { isText, keptIn } from '../shared/kept.ts';
import { useWords } from '../words/words.ts';

const longest = 1_000;
/** From here on it is said how much is left. */
const warnFrom = 100;

interface ComposerProps {
  workshopId: number;
  enabled: boolean;
  onSend(text: string): void;
}

export function Composer({ workshopId, enabled, onSend }: ComposerProps) {
  const { chat } = useWords();
  const [kept] = useState(() => keptIn(`draft.${workshopId}`, isText));
  const [draft, setDraft] = useState(() => kept.read() ?? '');
  useEffect(() => kept.write(draft === '' ? null : draft), [kept, draft]);
  const left = longest - [...draft.trim()].length;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (draft.trim() === '' || left < 0) return;
    onSend(draft.trim());
    setDraft('');
  };
  return (
    <form className="row composer" onSubmit={submit}>
      <input
        aria-label={chat.message}
        placeholder={enabled ? chat.placeholder : chat.closed}
        disabled={!enabled}
        autoComplete="off"
        enterKeyHint="send"
        dir="auto"
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
      {left < warnFrom && <span className={left < 0 ? 'problem' : 'soft'}>{left}</span>}
      <button type="submit" className="primary" disabled={!enabled || draft.trim() === '' || left < 0}>
        {chat.send}
      </button>
    </form>
  );
}
