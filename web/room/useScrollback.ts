/**
 * A list that stays at its end while the reader is there, counts what comes while they are not, and stays where it is when
 * something is put in above.
 */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

export interface Scrollback {
  list: RefObject<HTMLDivElement | null>;
  /** Lines that came below while the reader was further up. */
  unread: number;
  toEnd(): void;
}

/** So near the end counts as there, and so near the beginning as wanting more, in pixels. */
const near = 32;

interface Lines {
  /** Of the first and the last line; anything that tells lines apart. */
  first: number | undefined;
  length: number;
  /** The reader has come to the beginning. */
  onTop(): void;
}

export function useScrollback({ first, length, onTop }: Lines): Scrollback {
  const list = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const before = useRef({ first, length, height: 0 });
  const [unread, setUnread] = useState(0);
  const top = useRef(onTop);
  top.current = onTop;

  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    const look = () => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < near;
      if (atEnd.current) setUnread(0);
      if (element.scrollTop < near && element.scrollHeight > element.clientHeight) top.current();
    };
    element.addEventListener('scroll', look, { passive: true });
    // A keyboard that opens, or a window that changes, leaves the reader at the end.
    const resized = new ResizeObserver(() => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    });
    resized.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      resized.disconnect();
    };
  }, []);

  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const was = before.current;
    before.current = { first, length, height: element.scrollHeight };
    if (was.length === length && was.first === first) return;
    const putAbove = was.first !== undefined && first !== undefined && first < was.first;
    if (putAbove) element.scrollTop += element.scrollHeight - was.height;
    else if (atEnd.current) element.scrollTop = element.scrollHeight;
    else if (length > was.length) setUnread((count) => count + length - was.length);
  }, [first, length]);

  const toEnd = useCallback(() => {
    if (list.current !== null) list.current.scrollTop = list.current.scrollHeight;
    atEnd.current = true;
    setUnread(0);
  }, []);
  return { list, unread, toEnd };
}
