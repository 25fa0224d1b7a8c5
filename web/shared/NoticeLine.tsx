/** What the page says about the last thing done, and a way to take it back where there is one. */
import { useWords } from '../words/words.ts';

export interface Notice {
  text: string;
  problem?: boolean;
  undo?: () => void;
}

/** Empty without a notice, but always there to be heard. */
export function NoticeLine({ notice }: { notice: Notice | null }) {
  const { undo } = useWords();
  return (
    <div className="row notice" role={notice?.problem ? 'alert' : 'status'}>
      {notice !== null && <span className={notice.problem ? 'problem' : ''}>{notice.text}</span>}
      {notice?.undo && (
        <button type="button" className="quiet small" onClick={notice.undo}>
          {undo}
        </button>
      )}
    </div>
  );
}
