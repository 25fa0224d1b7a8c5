/** A workshop in a list: what it is, when, and the way in. */
import { useState } from 'react';
import { api, type Refusal, type User, type Workshop } from '../shared/api.ts';
import { sayTime, useWords } from '../words/words.ts';

interface WorkshopCardProps {
  me: User;
  workshop: Workshop;
  onChoose(workshopId: number): void;
  onRefused(error: Refusal): void;
}

export function WorkshopCard({ me, workshop, onChoose, onRefused }: WorkshopCardProps) {
  const words = useWords();
  const { home } = words;
  const { id, title, status, scheduledAt, hostId, visibility, durationMinutes, description } = workshop;
  const isPast = status === 'ended' || status === 'cancelled';
  const about = [
    sayTime(scheduledAt),
    durationMinutes === null ? '' : home.minutes(durationMinutes),
    hostId === me.userId ? home.youHost : '',
    visibility === 'private' ? home.private : '',
  ];
  return (
    <li className="workshop">
      <div className="grow">
        <strong className="title">{title}</strong>
        <p className="row about">
          <span className={`chip ${status}`}>{words.status[status]}</span>
          <span className="soft">{about.filter((part) => part !== '').join(' · ')}</span>
        </p>
        {description !== null && description !== undefined && description !== '' && (
          <p className="soft title">{description}</p>
        )}
      </div>
      <div className="row actions">
        {status === 'scheduled' && hostId !== me.userId && <Rsvp workshop={workshop} onRefused={onRefused} />}
        <button
          type="button"
          className={status === 'live' || status === 'lobby' ? 'primary' : ''}
          onClick={() => onChoose(id)}
          aria-label={isPast ? home.lookNamed(title) : home.enterNamed(title)}
        >
          {isPast ? home.look : home.enter}
        </button>
      </div>
    </li>
  );
}

function Rsvp({ workshop, onRefused }: Pick<WorkshopCardProps, 'workshop' | 'onRefused'>) {
  const { home } = useWords();
  const [coming, setComing] = useState(false);
  const say = async (isComing: boolean) => {
    const answer = await (isComing ? api.rsvp(workshop.id) : api.withdrawRsvp(workshop.id));
    if (answer.ok) setComing(isComing);
    else onRefused(answer.error);
  };
  const { title } = workshop;
  return (
    <>
      <span role="status" className="good">
        {coming && `✓ ${home.coming}`}
      </span>
      <button
        type="button"
        className="quiet"
        aria-label={coming ? home.notComingNamed(title) : home.rsvpNamed(title)}
        onClick={() => void say(!coming)}
      >
        {coming ? home.notComing : home.rsvp}
      </button>
    </>
  );
}
