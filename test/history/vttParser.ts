/** WebVTT read back, as far as the standard's algorithm (W3C, section 6) concerns cues with a voice. */

export interface Cue {
  id: string;
  /** Milliseconds. */
  start: number;
  end: number;
  voice: string;
  /** Without its tags. */
  text: string;
}

const timing = /^(\d{2,}):(\d\d):(\d\d)\.(\d{3})[ \t]+-->[ \t]+(\d{2,}):(\d\d):(\d\d)\.(\d{3})$/;

export function cuesOf(file: string): Cue[] {
  const [head, ...blocks] = file.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split(/\n\n+/);
  if (!/^WEBVTT(?:[ \t\n]|$)/.test(head ?? '')) throw new Error('this is no WebVTT');
  return blocks
    .filter((block) => block !== '')
    .map((block) => {
      const [id = '', when = '', ...payload] = block.split('\n');
      const found = timing.exec(when);
      if (found === null || id.includes('-->')) throw new Error(`no cue: ${JSON.stringify(block)}`);
      const [, ...parts] = found.map(Number);
      const text = payload.join('\n');
      if (text.includes('-->')) throw new Error(`a cue holds an arrow: ${text}`);
      const [, voice = '', spoken = ''] = /^<v ([^>]*)>([\s\S]*)$/.exec(text) ?? [];
      return {
        ...{ id, start: millis(parts.slice(0, 4)), end: millis(parts.slice(4)) },
        ...{ voice: unescaped(voice), text: unescaped(spoken.replace(/<[^>]*>/g, '')) },
      };
    });
}

function millis([hours = 0, minutes = 0, seconds = 0, rest = 0]: number[]): number {
  return ((hours * 60 + minutes) * 60 + seconds) * 1_000 + rest;
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
