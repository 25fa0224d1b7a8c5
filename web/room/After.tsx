/** Over is not a dead end: who was there, what was said, and for host and analysts the files of it. */
import { Avatar } from '../shared/Avatar.tsx';
import { basePath } from '../shared/base.ts';
import { Linked } from '../shared/Linked.tsx';
import { sayClock, sayLength, useWords } from '../words/words.ts';
import { useAftermath } from './useAftermath.ts';

interface AfterProps {
  workshopId: number;
  cancelled: boolean;
  mayAnalyse: boolean;
  onExit(): void;
  onTimeline(): void;
}

export function After({ workshopId, cancelled, mayAnalyse, onExit, onTimeline }: AfterProps) {
  const { after, room, people, loading, chat: words } = useWords();
  const { attendees, chat } = useAftermath(workshopId);
  const refused = attendees.state === 'refused';
  return (
    <>
      <section className="card row spread">
        <p>{cancelled ? room.cancelled : room.over}</p>
        <button type="button" className="quiet" onClick={onExit}>
          {room.backToList}
        </button>
      </section>
      {mayAnalyse && !cancelled && (
        <section className="card row spread">
          <button type="button" className="primary" onClick={onTimeline}>
            {after.timeline}
          </button>
          <p className="soft">{after.filesWhy}</p>
          <p className="row">
            {(['attendance', 'chat', 'events'] as const).map((what) => (
              <a
                key={what}
                href={`${basePath}/api/workshops/${workshopId}/export?what=${what}&format=csv`}
                download
              >
                {after.files[what]}
              </a>
            ))}
          </p>
        </section>
      )}
      {refused && <p className="card soft">{after.hidden}</p>}
      {!refused && !cancelled && (
        <div className="columns aftermath">
          <section className="card" aria-labelledby="who">
            <h2 id="who">{after.who}</h2>
            <p className="soft">
              {attendees.state === 'loading'
                ? loading
                : attendees.items.length === 0
                  ? after.nobody
                  : after.came(attendees.items.length)}
            </p>
            <ul className="list">
              {attendees.items.map(({ userId, displayName, avatarUrl, presentMs, isHost, isCoHost }) => (
                <li key={userId} className="person">
                  <Avatar userId={userId} displayName={displayName ?? ''} avatarUrl={avatarUrl} />
                  <span className="who">
                    <bdi className="clip">{displayName ?? userId}</bdi>
                    {(isHost || isCoHost) && (
                      <span className="chip leads">{isHost ? people.host : people.coHost}</span>
                    )}
                  </span>
                  <span className="soft">{after.present(sayLength(presentMs))}</span>
                </li>
              ))}
            </ul>
            {attendees.hasMore && <More onMore={attendees.more} />}
          </section>
          <section className="card" aria-labelledby="said">
            <h2 id="said">{after.said}</h2>
            {chat.state === 'loading' && <p className="soft">{loading}</p>}
            {chat.state === 'shown' && chat.items.length === 0 && <p className="soft">{after.nothing}</p>}
            <ol className="messages">
              {chat.items.map(({ id, userId, displayName, avatarUrl, message, createdAt }) => (
                <li key={id} className="line">
                  <Avatar userId={userId} displayName={displayName} avatarUrl={avatarUrl} />
                  <div className="grow">
                    <p className="byline">
                      <strong className="clip">
                        <bdi>{displayName}</bdi>
                      </strong>
                      <time className="soft" dateTime={createdAt}>
                        {sayClock(createdAt)}
                      </time>
                    </p>
                    <p className={message === null ? 'soft said' : 'said'} dir="auto">
                      {message === null ? words.deleted : <Linked text={message} />}
                    </p>
                  </div>
                </li>
              ))}
            </ol>
            {chat.hasMore && <More onMore={chat.more} />}
          </section>
        </div>
      )}
    </>
  );
}

function More({ onMore }: { onMore(): void }) {
  const { after } = useWords();
  return (
    <button type="button" className="quiet" onClick={onMore}>
      {after.more}
    </button>
  );
}
