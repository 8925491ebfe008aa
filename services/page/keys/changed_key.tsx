/**
 * What is said of an organization whose public key is another than before, and the choice to use
 * it.
 * @module
 */
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { KeyChangedError } from "../../client/mod.ts";
import { messageFor } from "../parts/loading.tsx";
import { named, visible } from "../parts/visible.ts";
import { When } from "../parts/time.tsx";
import { client, seenKeys } from "../session/session.ts";
import { texts } from "../texts.ts";
import { keys as words } from "../texts/keys.ts";

interface ChangedKeyProps {
  change: KeyChangedError;
  /** What the button for "yes" says. */
  accept: string;
  onAccepted: () => void;
  /** Also after it was accepted. */
  onClose: () => void;
}

export function ChangedKey({ change, accept, onAccepted, onClose }: ChangedKeyProps) {
  const { organization: { id }, before, now } = change;
  const dialog = useRef<HTMLDialogElement>(null);
  const ids = useId();
  const [since] = useState(() => seenKeys.knownSince(id));
  const [wrong, setWrong] = useState<string>();

  useEffect(() => {
    const focused = document.activeElement;
    dialog.current?.showModal();
    return () => focused instanceof HTMLElement && focused.isConnected && focused.focus();
  }, []);

  async function take(): Promise<void> {
    try {
      await client.keys.accept(id, now);
    } catch (error) {
      return setWrong(messageFor(error));
    }
    dialog.current?.close();
    onAccepted();
  }

  return (
    <dialog ref={dialog} aria-labelledby={`${ids}-title`} onClose={onClose}>
      <h2 id={`${ids}-title`}>
        <bdi>{words.title(nameIn(change))}</bdi>
      </h2>
      <p>{words.why}</p>
      <p>{words.ask}</p>
      <dl class="facts">
        <dt>{words.now}</dt>
        <dd class="mono">{now}</dd>
        <dt>{words.before}</dt>
        <dd class="mono">{before}</dd>
        <dt>{words.since}</dt>
        <dd>
          <When at={since} />
        </dd>
      </dl>
      <div role="alert">{wrong !== undefined && <p class="notice bad">{wrong}</p>}</div>
      <div class="buttons">
        {/* The safe one has the focus when the question opens. */}
        <button type="button" autofocus onClick={() => dialog.current?.close()}>
          {words.refuse}
        </button>
        <button type="button" class="danger" onClick={() => void take()}>{accept}</button>
      </div>
    </dialog>
  );
}

/** Stands above every screen while there is a change that nobody has accepted. */
export function ChangedKeys() {
  const [looking, setLooking] = useState<KeyChangedError>();
  const [first, ...others] = seenKeys.changes.value;
  return (
    <>
      <div role="status">
        {first && (
          <div class="notice warn">
            <p>
              <bdi>{words.changed(nameIn(first))}</bdi> {words.notUsed}{" "}
              {others.length > 0 && words.more(others.length)}
            </p>
            <button type="button" onClick={() => setLooking(first)}>{words.look}</button>
          </div>
        )}
      </div>
      {looking && (
        <ChangedKey
          change={looking}
          accept={words.accept}
          // The button that opened the dialog may go.
          onAccepted={() => document.getElementById("content")?.focus()}
          onClose={() => setLooking(undefined)}
        />
      )}
    </>
  );
}

function nameIn({ organization: { id, name } }: KeyChangedError): string {
  return visible(named(name, texts.names.organization(id)));
}
