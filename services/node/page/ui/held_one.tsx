/**
 * One result that waits: all of what would leave, and the owner's decision.
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { Plain } from "../../../page/parts/plain.tsx";
import { Field } from "../../../page/parts/field.tsx";
import { type Asked, messageFor, Show, useAsked } from "../../../page/parts/loading.tsx";
import { to } from "../../../page/routes.ts";
import { texts as parts } from "../../../page/texts.ts";
import { decided, type HeldResult, heldShown } from "../contract.ts";
import { AboutHeld, Decided } from "./held.tsx";
import { ask } from "./session.ts";
import { texts } from "./texts.ts";

const words = texts.held;
type Choice = NonNullable<HeldResult["decision"]>["is"];

export function HeldOneScreen({ params: { result = "", attempt = "" } }: {
  params: Record<string, string>;
}) {
  const path = `held/${encodeURIComponent(result)}/${encodeURIComponent(attempt)}`;
  const [page, setPage] = useState(1);
  const [seen, setSeen] = useState<ReadonlySet<number>>(new Set([1]));
  const asked = useAsked((signal) => ask(`${path}?page=${page}`, heldShown, { signal }), [page]);
  function turnTo(next: number): void {
    setPage(next);
    setSeen(new Set([...seen, next]));
  }
  return (
    <>
      <header>
        <h1>{words.one(Number(result))}</h1>
        <a href={to("held")}>{words.back}</a>
      </header>
      <Show asked={asked}>
        {(shown) => (
          <>
            <Decision path={path} asked={asked} shown={shown} seen={seen.size} />
            <section class="card">
              <h2>{words.what}</h2>
              <div class="scroll result" tabIndex={0} role="region" aria-label={words.what}>
                <pre>{shown.text}</pre>
              </div>
              {shown.pages > 1 && <Pages {...shown} onPage={turnTo} />}
            </section>
            {shown.log && (
              <section class="card">
                <h2>{words.log}</h2>
                <div class="scroll result" tabIndex={0} role="region" aria-label={words.log}>
                  <pre>{shown.log}</pre>
                </div>
              </section>
            )}
            <section class="card">
              <AboutHeld note={shown.note} />
            </section>
          </>
        )}
      </Show>
    </>
  );
}

function Pages(
  { page, pages, onPage }: { page: number; pages: number; onPage: (page: number) => void },
) {
  return (
    <p class="buttons">
      <button type="button" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        {words.earlier}
      </button>
      <span role="status">{words.page(page, pages)}</span>
      <button type="button" disabled={page >= pages} onClick={() => onPage(page + 1)}>
        {words.next}
      </button>
    </p>
  );
}

type Shown = NonNullable<ReturnType<typeof heldShown.safeParse>["data"]>;

function Decision({ path, asked, shown, seen }: {
  path: string;
  asked: Asked<Shown>;
  shown: Shown;
  /** Pages that were looked at. */
  seen: number;
}) {
  const [choice, setChoice] = useState<Choice>();
  const heading = useRef<HTMLHeadingElement>(null);
  const { note } = shown;
  return (
    <section class="card">
      <h2 ref={heading} tabIndex={-1}>{words.decide}</h2>
      <div role="status">
        {note.decision && (
          <>
            <p>
              <Decided note={note} />
            </p>
            <p>{words.done[note.decision.is]}</p>
          </>
        )}
      </div>
      {!note.decision && (
        <p class="buttons">
          <button type="button" onClick={() => setChoice("release")}>{words.release}</button>
          <button type="button" class="danger" onClick={() => setChoice("refuse")}>
            {words.refuse}
          </button>
        </p>
      )}
      {choice && (
        <DecisionDialog
          path={path}
          choice={choice}
          shown={shown}
          seen={seen}
          onDone={(after) => {
            asked.set({ ...shown, note: after });
            // The buttons are gone.
            heading.current?.focus();
          }}
          onClose={() => setChoice(undefined)}
        />
      )}
    </section>
  );
}

function DecisionDialog({ path, choice, shown: { note, pages }, seen, onDone, onClose }: {
  path: string;
  choice: Choice;
  shown: Shown;
  seen: number;
  onDone: (note: HeldResult) => void;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const isRelease = choice === "release";
  useEffect(() => dialog.current!.showModal(), []);

  async function decide(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    try {
      const body = { is: choice, reason, sha256: note.sha256 };
      const after = await ask(path, decided, { body });
      dialog.current?.close();
      onDone(after.note);
    } catch (error) {
      setWrong(messageFor(error));
      setBusy(false);
    }
  }

  const title = (isRelease ? words.releaseTitle : words.refuseTitle)(note.result_id);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="decision-title">
      <form onSubmit={decide}>
        <h2 id="decision-title">{title}</h2>
        <p>{isRelease ? words.releaseMeans : words.refuseMeans}</p>
        {isRelease && seen < pages && <p class="notice warn">{words.unseen(seen, pages)}</p>}
        <div role="alert">
          {wrong !== undefined && (
            <p class="notice bad">
              <Plain text={wrong} />
            </p>
          )}
        </div>
        <Field
          label={words.reason}
          help={words.reasonHelp}
          value={reason}
          onValue={setReason}
          required
          autoFocus
        />
        <p class="buttons">
          <button type="submit" class={isRelease ? "main" : "danger"} disabled={busy}>
            {isRelease ? words.doRelease : words.doRefuse}
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            {parts.parts.cancel}
          </button>
        </p>
      </form>
    </dialog>
  );
}
