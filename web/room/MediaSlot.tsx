/**
 * The place of sound and picture, which are not ours: a component of a media service goes here, fed with who may speak and who
 * was asked to be quiet. `docs/media.md` shows how to fill it.
 */
import type { ComponentType } from 'react';

export interface MediaProps {
  workshopId: number;
  /** Who one is to the server. */
  userId: number;
  /** Whether one may send sound and picture: host, co-hosts, approved speakers, while lobby or live. */
  maySpeak: boolean;
  /** Everyone on stage, in the order of joining. */
  speakers: { userId: number; displayName: string }[];
  /** Who was asked to be quiet, oneself perhaps among them: obeying is the component's part. */
  muted: ReadonlySet<number>;
}

/** What fills the slot; null where there is no media service. */
const Media: ComponentType<MediaProps> | null = null as ComponentType<MediaProps> | null;

export function MediaSlot(props: MediaProps) {
  return Media === null ? null : (
    <div className="media">
      <Media {...props} />
    </div>
  );
}
