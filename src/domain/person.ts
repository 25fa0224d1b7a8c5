/** What is shown of a person who was erased. Their id stays, and with it what they did. */
export const nobody = { displayName: 'Erased user', avatarUrl: null };
