import { useRef, useState } from "preact/hooks";
import type { Task } from "../../../shared/contract/task.ts";
import { messageFor } from "../parts/loading.tsx";
import { named, visible } from "../parts/visible.ts";
import { client, isSessionEnd } from "../session/session.ts";
import { texts } from "../texts.ts";

const words = texts.task;

/** Ends a task, once somebody has said so twice. */
export function Kill({ task, killed }: { task: Task; killed: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const name = visible(named(task.name, texts.names.task(task.id)));

  async function kill(): Promise<void> {
    setBusy(true);
    setWrong(undefined);
    try {
      await client.tasks.kill(task.id);
      dialog.current?.close();
      // The button that opened the dialog goes: there is nothing left to kill.
      document.getElementById("content")?.focus();
      killed();
    } catch (error) {
      if (!isSessionEnd(error)) setWrong(messageFor(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <>
      <button type="button" class="danger" onClick={() => dialog.current?.showModal()}>
        {words.kill}
      </button>
      <dialog ref={dialog} aria-labelledby="kill-title">
        <h2 id="kill-title">
          <bdi>{words.killTitle(name)}</bdi>
        </h2>
        <p>{words.killText}</p>
        <div role="alert">{wrong !== undefined && <p class="notice bad">{wrong}</p>}</div>
        <div class="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            {texts.parts.cancel}
          </button>
          <button type="button" class="danger" disabled={busy} onClick={() => void kill()}>
            {words.killIt}
          </button>
        </div>
      </dialog>
    </>
  );
}
