/** A person's picture, or their initials on a colour that stays theirs. Beside it stands the name: readers of screens skip it. */
import { useState } from 'react';

interface AvatarProps {
  userId: number;
  displayName: string;
  avatarUrl: string | null;
}

export function Avatar({ userId, displayName, avatarUrl }: AvatarProps) {
  const [broken, setBroken] = useState(false);
  if (avatarUrl !== null && !broken)
    return (
      <img
        className="avatar"
        src={avatarUrl}
        alt=""
        loading="lazy"
        referrerPolicy="no-referrer"
        onError={() => setBroken(true)}
      />
    );
  return (
    <span className={`avatar hue${userId % 6}`} aria-hidden="true">
      {initials(displayName)}
    </span>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = [...(words[0] ?? '')][0] ?? '?';
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : '';
  return (first + last).toLocaleUpperCase();
}
