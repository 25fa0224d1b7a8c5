/** Having a person forgotten, and how far that is. */
import { useState } from 'react';
import { ConfirmButton } from '../shared/ConfirmButton.tsx';
import { useWords } from '../words/words.ts';
import { type Erasure, operators } from './status.ts';
import type { Act } from './useActs.ts';

export function Erasures({ act }: { act: Act }) {
  const { admin } = useWords();
  const [userId, setUserId] = useState('');
  const isId = /^[1-9]\d{0,15}$/.test(userId.trim());
  const say = ({ left, workshops, messages }: Erasure) => admin.erasureState(left, workshops, messages);
  return (
    <section className="card stack" aria-labelledby="erasures">
      <h2 id="erasures">{admin.erasures}</h2>
      <label className="stack">
        {admin.erasureUser}
        <input inputMode="numeric" value={userId} onChange={(event) => setUserId(event.target.value)} />
      </label>
      <div className="row">
        <button
          type="button"
          disabled={!isId}
          onClick={() => void act(operators.erasure(userId.trim()), say)}
        >
          {admin.erasureLook}
        </button>
        {isId && (
          <ConfirmButton
            label={admin.erasureAsk}
            question={admin.erasureQuestion(userId.trim())}
            confirm={admin.erasureAsk}
            onConfirm={() => void act(operators.erase(userId.trim()), say)}
          />
        )}
      </div>
    </section>
  );
}
