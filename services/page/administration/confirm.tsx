/**
 * The question before what cannot be undone. Where the hub says that more goes along, its sentence
 * with the numbers is shown, and asked about once more.
 * @module
 */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ApiError } from "../../client/mod.ts";
import { Tick } from "../parts/field.tsx";
import { messageFor } from "../parts/loading.tsx";
import { Plain } from "../parts/plain.tsx";
import { isSessionEnd } from "../session/session.ts";
import { administration } from "../texts/administration.ts";

const words = administration.confirm;

interface ConfirmProps {
  title: string;
  /** What happens, and what goes along. */
  text: string;
  button: string;
  /** `dependents`: also what depends on it. */
  act: (dependents: boolean) => Promise<unknown>;
  onDone: () => void;
  onClose: () => void;
}

export function Confirm({ title, text, button, act, onDone, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const [dependents, setDependents] = useState(false);
  const asksForDependents = error instanceof ApiError &&
    error.message.includes("delete_dependents");

  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => before instanceof HTMLElement && before.isConnected && before.focus();
  }, []);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      await act(dependents);
      onDone();
    } catch (reason) {
      setBusy(false);
      if (!isSessionEnd(reason)) setError(reason);
    }
  }

  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <form onSubmit={submit}>
        <h2 id={id}>
          <Plain text={title} />
        </h2>
        <p>{text}</p>
        <div role="alert">
          {error !== undefined && <p class="notice bad">{messageFor(error)}</p>}
        </div>
        {asksForDependents && (
          <p>
            <Tick label={words.dependents} checked={dependents} onChecked={setDependents} />
          </p>
        )}
        <div class="buttons">
          {/* The safe one has the focus when the question opens. */}
          <button type="button" autofocus onClick={() => dialog.current?.close()}>
            {words.cancel}
          </button>
          <button
            type="submit"
            class="danger"
            disabled={busy || (asksForDependents && !dependents)}
          >
            {button}
          </button>
        </div>
      </form>
    </dialog>
  );
}
