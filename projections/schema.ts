/** All tables, for migrations. */

export { archives } from './archive/schema.ts';
export { attendees } from './attendees/schema.ts';
export { chatMessages } from './chat/schema.ts';
export { checkpoints, projectors } from './checkpoints/schema.ts';
export { erasures } from './erasing/schema.ts';
export { events, lostEvents } from './events/schema.ts';
export { feed, feedEnds } from './feed/schema.ts';
export { logOfTables } from './logIdentity/schema.ts';
export { parked, skipped } from './parked/schema.ts';
export { chunks, nextAttendees, nextChat, nextEvents, nextWorkshops } from './rebuild/schema.ts';
export { snapshots } from './snapshots/schema.ts';
export { places, scans, webhooks } from './webhooks/schema.ts';
export { workshops } from './workshops/schema.ts';
