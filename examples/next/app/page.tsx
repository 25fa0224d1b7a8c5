import { headers } from 'next/headers';
import { userOf } from '../session.mjs';
import { BeginWorkshop } from './BeginWorkshop';

export default async function Home() {
  const user = userOf((await headers()).get('cookie') ?? '');
  if (user === null)
    return (
      <p>
        Sign in as <a href="/sign-in/ada">Ada</a> or <a href="/sign-in/ben">Ben</a>
      </p>
    );
  return (
    <main>
      <h1>Hello {user.displayName}</h1>
      <BeginWorkshop />
    </main>
  );
}
