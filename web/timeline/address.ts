/** What the address holds beside the workshop: the moment (`t=12m30s`), the speed, and what is looked for. */
import { replaySpeeds } from '../../src/hooks/useWorkshopReplay.ts';

export interface Place {
  offsetMs?: number;
  speed?: number;
  person?: string;
  kind?: string;
  text?: string;
}

export function readPlace(): Place {
  const asked = new URLSearchParams(location.search);
  const offsetMs = offsetOf(asked.get('t') ?? '');
  const speed = Number(asked.get('speed') ?? Number.NaN);
  return {
    ...(offsetMs !== undefined && { offsetMs }),
    ...(replaySpeeds.includes(speed) && { speed }),
    ...textIn(asked, 'person'),
    ...textIn(asked, 'kind'),
    ...textIn(asked, 'text'),
  };
}

function textIn(asked: URLSearchParams, name: 'person' | 'kind' | 'text'): Place {
  const text = asked.get(name);
  return text === null || text === '' ? {} : { [name]: text };
}

/** No step of the history: the back button leaves the timeline. */
export function notePlace(place: Place): void {
  const noted = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries({
    t: place.offsetMs === undefined ? undefined : sayOffset(place.offsetMs),
    speed: place.speed === 1 ? '' : place.speed,
    person: place.person,
    kind: place.kind,
    text: place.text,
  })) {
    if (value === undefined) continue;
    if (value === '' || value === '0s') noted.delete(name);
    else noted.set(name, String(value));
  }
  const search = noted.size === 0 ? '' : `?${noted}`;
  if (search !== location.search) history.replaceState(history.state, '', location.pathname + search);
}

/** `1h2m3s`, its parts left out as one likes, or seconds alone. Undefined where it is neither. */
export function offsetOf(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const parts = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?$/.exec(text);
  if (text === '' || parts === null) return undefined;
  const [, h = 0, m = 0, s = 0] = parts;
  return (Number(h) * 3_600 + Number(m) * 60 + Number(s)) * 1_000;
}

export function sayOffset(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h > 0 ? `${h}h` : ''}${m > 0 ? `${m}m` : ''}${s > 0 || seconds === 0 ? `${s}s` : ''}`;
}
