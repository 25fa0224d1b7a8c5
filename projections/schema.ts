/** All tables, for migrations. */
export { chunks, nextAttendees, nextChat, nextEvents, nextWorkshops } from './anew/schema.ts';
export { archives } from './archive/schema.ts';
export { attendees } from './attendees/schema.ts';
export { checkpoints, parked, projectors, skipped } from './bookkeeping.ts';
export { chatMessages } from './chat/schema.ts';
export { events, lostEvents } from './events/schema.ts';
export { snapshots } from './snapshots/schema.ts';
export { workshops } from './workshops/schema.ts';
