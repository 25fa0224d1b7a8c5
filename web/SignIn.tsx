/** Signing in as a guest: a name is all it takes. */
import { type FormEvent, useState } from 'react';
import { api, type User } from './api.ts';
import { sayRefusal } from './words.ts';

interface SignInProps {
  expired: boolean;
  /** Whether the address leads to a workshop already. */
  invited: boolean;
  onSignedIn(user: User): void;
}

export function SignIn({ expired, invited, onSignedIn }: SignInProps) {
  const [displayName, setDisplayName] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(expired ? 'Your sign-in has run out. Enter your name again.' : '');

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const answer = await api.guest(displayName);
    setBusy(false);
    if (answer.ok) return onSignedIn(answer.value.user);
    const noGuests = ['not_found', 'forbidden', 'unauthenticated'].includes(answer.error.code);
    setProblem(noGuests ? 'This server does not admit guests.' : sayRefusal(answer.error));
  };

  return (
    <main className="narrow">
      <h1>Workshop rooms</h1>
      <p className="soft">
        {invited ? 'You are invited to a workshop.' : 'Meet, raise hands, talk in turn.'}
      </p>
      <form className="card stack" onSubmit={(event) => void submit(event)}>
        <label className="stack">
          Your name
          <input
            // The one field of the page is where one wants to be.
            // biome-ignore lint/a11y/noAutofocus: there is nothing before it to be skipped
            autoFocus
            required
            maxLength={80}
            autoComplete="nickname"
            value={displayName}
            onChange={(event) => setDisplayName(event.target.value)}
          />
        </label>
        <button type="submit" className="primary" disabled={busy || displayName.trim() === ''}>
          {invited ? 'Enter the workshop' : 'Continue'}
        </button>
        <p role="alert" className="problem">
          {problem}
        </p>
      </form>
    </main>
  );
}
