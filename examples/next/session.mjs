// Stands for your own sign-in: who has which session. Ada may also do what operators do.
const users = {
  ada: { userId: 1, displayName: 'Ada', avatarUrl: null, roles: ['admin'] },
  ben: { userId: 2, displayName: 'Ben', avatarUrl: null, roles: [] },
};

/** Whose cookies these are, or null. */
export function userOf(cookies = '') {
  const [, name] = /(?:^|; )session=(\w+)/.exec(cookies) ?? [];
  return users[name] ?? null;
}
