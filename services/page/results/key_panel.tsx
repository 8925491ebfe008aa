/**
 * Where the organization's private key is given to the page, and forgotten again.
 * @module
 */
import { useId, useRef, useState } from "preact/hooks";
import type { Organization } from "../../../shared/contract/organization.ts";
import { texts } from "../texts.ts";
import { messageFor, useAsked } from "../parts/loading.tsx";
import { visible } from "../parts/visible.ts";
import { forgetKey, heldKey, takeKey } from "./opener.ts";
import { whoseKey } from "./whose_key.ts";

const words = texts.results.key;
/** What the key is for. */
const PURPOSES = { open: words.toOpen, sign: words.toSign };

interface KeyPanelProps {
  purpose: keyof typeof PURPOSES;
  /** The organization whose key is asked for: that of the results, or that of who asks. */
  reader: { id: number; name: string };
  organizations: readonly Pick<Organization, "id" | "name" | "public_key">[];
}

export function KeyPanel({ purpose, reader, organizations }: KeyPanelProps) {
  const { ask, ofOther, unknown } = PURPOSES[purpose];
  const Title = purpose === "open" ? "h3" : "h2";
  const id = useId();
  const panel = useRef<HTMLElement>(null);
  const [wrong, setWrong] = useState<string>();
  const [isOver, setIsOver] = useState(false);
  const held = heldKey.value;
  const whose = useAsked(
    async () => held && await whoseKey(held.fingerprint, reader.id, organizations),
    [held?.fingerprint, reader.id, organizations],
  ).value;
  const name = visible(reader.name);

  async function take(files: FileList | null | undefined): Promise<void> {
    const file = files?.[0];
    if (!file) return;
    setWrong(undefined);
    try {
      await takeKey(file, words.tooLarge);
      panel.current?.focus();
    } catch (error) {
      setWrong(messageFor(error));
    }
  }

  /** The button goes; who used it stays where it was. */
  function forget(): void {
    forgetKey();
    panel.current?.focus();
  }

  function drop(event: DragEvent): void {
    event.preventDefault();
    setIsOver(false);
    void take(event.dataTransfer?.files);
  }

  return (
    <section
      class={isOver ? "card key-panel over" : "card key-panel"}
      aria-labelledby={`${id}-title`}
      tabIndex={-1}
      ref={panel}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <Title id={`${id}-title`}>{words.title}</Title>
      <div role="alert">
        {wrong !== undefined && <p class="notice bad">{words.refused(wrong)}</p>}
      </div>
      <div role="status">
        {held && whose?.is === "right" && <p>{words.held(name)}</p>}
        {held && whose?.is === "other" && (
          <p class="notice bad">{ofOther(visible(whose.name), name)}</p>
        )}
        {held && whose?.is === "unknown" && (
          <p class="notice warn">{unknown(name, held.fingerprint, whose.atHub)}</p>
        )}
      </div>
      {held
        ? (
          <div class="buttons">
            <button type="button" onClick={forget}>{words.forget}</button>
          </div>
        )
        : (
          <>
            <p id={`${id}-help`}>{ask(name)}</p>
            <label class="button file-button">
              {words.choose}
              <input
                type="file"
                class="unseen"
                aria-describedby={`${id}-help`}
                onChange={(event) => {
                  void take(event.currentTarget.files);
                  event.currentTarget.value = "";
                }}
              />
            </label>
          </>
        )}
      <p class="quiet">{words.promise}</p>
    </section>
  );
}

/** Whether results can be opened with what is held. */
export function isKeyGiven(): boolean {
  return heldKey.value !== undefined;
}
