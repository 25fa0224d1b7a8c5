/** Signing in as a guest, where a name is all it takes; where guests are not let in, how one gets in instead. */
import { type FormEvent, useState } from 'react';
import { api, type User } from '../shared/api.ts';
import { sayRefusal, useWords } from '../words/words.ts';

interface SignInProps {
  expired: boolean;
  /** Whether the address leads to a workshop already. */
  invited: boolean;
  /** Whether guests are signed in; taken to be so until the server has said. */
  guests: boolean;
  onSignedIn(user: User): void;
  onRetry(): void;
}

export function SignIn({ guests, onRetry, ...props }: SignInProps) {
  const { app, signIn } = useWords();
  return (
    <main className="narrow door">
      <h1>{app}</h1>
      <p className="soft">{props.invited ? signIn.invited : signIn.tagline}</p>
      {guests ? (
        <GuestForm {...props} />
      ) : (
        <section className="card stack" aria-labelledby="elsewhere">
          <h2 id="elsewhere">{signIn.elsewhere}</h2>
          <p>{signIn.how}</p>
          <button type="button" className="primary" onClick={onRetry}>
            {signIn.retry}
          </button>
        </section>
      )}
    </main>
  );
}

function GuestForm({ expired, invited, onSignedIn }: Omit<SignInProps, 'guests' | 'onRetry'>) {
  const { signIn } = useWords();
  const [displayName, setDisplayName] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(expired ? signIn.expired : '');

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const answer = await api.guest(displayName);
    setBusy(false);
    if (answer.ok) return onSignedIn(answer.value.user);
    const noGuests = ['not_found', 'forbidden', 'unauthenticated'].includes(answer.error.code);
    setProblem(noGuests ? signIn.noGuests : sayRefusal(answer.error));
  };

  return (
    <form className="card stack" onSubmit={(event) => void submit(event)}>
      <label className="stack">
        {signIn.name}
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
        {invited ? signIn.enter : signIn.go}
      </button>
      <p role="alert" className="problem">
        {problem}
      </p>
    </form>
  );
}
