/** Why a command is not done. Values, never thrown. What a client is told of them stands in `protocol/errors.ts`. */
export const refusalCodes = [
  'not_found',
  'removed',
  'not_a_member',
  'forbidden',
  'invalid_state',
  'not_joined',
  'target_not_found',
  'workshop_full',
] as const;

export type RefusalCode = (typeof refusalCodes)[number];
