/** A button for what can't be taken back: asks once more in a dialog, whose first choice is not to do it. */
import { useRef } from 'react';
import { useWords } from '../words/words.ts';

interface ConfirmButtonProps {
  label: string;
  question: string;
  confirm: string;
  /** Not to do it; “cancel” if left out. */
  refuse?: string;
  onConfirm(): void;
}

export function ConfirmButton({ label, question, confirm, refuse, onConfirm }: ConfirmButtonProps) {
  const { cancel } = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <dialog ref={dialog} aria-label={label}>
        <form
          method="dialog"
          className="stack"
          onSubmit={(event) => {
            const { submitter } = event.nativeEvent as SubmitEvent;
            if (submitter instanceof HTMLButtonElement && submitter.value === 'yes') onConfirm();
          }}
        >
          <p>{question}</p>
          <div className="row end">
            <button type="submit" value="no">
              {refuse ?? cancel}
            </button>
            <button type="submit" value="yes" className="danger">
              {confirm}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
