/** What the page says about the last thing done, and a way to take it back where there is one. */

export interface Notice {
  text: string;
  problem?: boolean;
  undo?: () => void;
}

/** Empty without a notice, but always there to be heard. */
export function NoticeLine({ notice }: { notice: Notice | null }) {
  return (
    <div className="row" role={notice?.problem ? 'alert' : 'status'}>
      {notice !== null && <span className={notice.problem ? 'problem' : ''}>{notice.text}</span>}
      {notice?.undo && (
        <button type="button" className="quiet" onClick={notice.undo}>
          Undo
        </button>
      )}
    </div>
  );
}
