/** Who took part, and how long hands waited for an answer. */
import type { RecordedEvent } from '../domain/evolve.ts';
import type { Room } from '../domain/room.ts';
import { isOf } from './following.ts';

export interface ParticipationFold {
  /** `said`: the event is a message that counts. */
  watch(event: RecordedEvent, room: Room, said: boolean): void;
  readonly messages: number;
  readonly handsRaised: number;
  /** Milliseconds from raising to approval, one number for each hand that was answered so: exact quantiles need all. */
  readonly waits: readonly number[];
  /** Who wrote, raised a hand or was approved to speak. */
  readonly active: ReadonlySet<number>;
}

export function participationFold(): ParticipationFold {
  const waits: number[] = [];
  const active = new Set<number>();
  const fold = {
    ...{ messages: 0, handsRaised: 0, waits, active },
    watch(event: RecordedEvent, room: Room, said: boolean) {
      if (said && isOf(event, 'chat-message')) {
        fold.messages++;
        active.add(event.data.userId);
      } else if (isOf(event, 'hand-raised')) {
        fold.handsRaised++;
        active.add(event.data.userId);
      } else if (isOf(event, 'speaker-approved')) {
        const { userId } = event.data;
        active.add(userId);
        // The hand comes down with an event of its own, after this one.
        const raisedAt = room.hands.get(userId);
        if (raisedAt !== undefined) waits.push(event.at - raisedAt);
      }
    },
  };
  return fold;
}
