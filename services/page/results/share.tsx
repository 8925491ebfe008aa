/**
 * One organization's result.
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import type { RunWithTask, Task } from "../../../shared/contract/task.ts";
import type { ToldDescription } from "../../../shared/node_protocol/description.ts";
import { Choice } from "../parts/field.tsx";
import { Loading, messageFor, useAsked } from "../parts/loading.tsx";
import { Plain } from "../parts/plain.tsx";
import { visible } from "../parts/visible.ts";
import { seenKeys } from "../session/session.ts";
import { texts } from "../texts.ts";
import { closeShare, heldKey, openShare } from "./opener.ts";
import { useNames } from "./organization_names.ts";
import { Save } from "./parts/save.tsx";
import { ShownPieceView } from "./parts/piece.tsx";
import { WithheldPanel } from "./parts/withheld.tsx";
import type { Opened } from "./worker/calls.ts";

const words = texts.results;

interface ShareProps {
  task: Task;
  run: RunWithTask;
  encrypted: boolean;
  description: ToldDescription | undefined;
  /** Whether there is no other one: then its name says nothing. */
  isAlone: boolean;
  isUnfolded: boolean;
  isOpenedAtOnce: boolean;
  onOpened: (runId: number, opened: Opened) => void;
}

export function Share({ isAlone, isUnfolded, isOpenedAtOnce, ...share }: ShareProps) {
  const [isWanted, setIsWanted] = useState(isOpenedAtOnce);
  const nameOf = useNames();
  const content = isWanted ? <OpenedShare {...share} /> : <Loading />;
  if (isAlone) {
    // Seen it says nothing; heard, it keeps the order of headings.
    return (
      <div class="share">
        <h3 class="unseen">{nameOf(share.run.organization.id)}</h3>
        {content}
      </div>
    );
  }
  return (
    <details
      class="share"
      open={isUnfolded}
      onToggle={(event) => event.currentTarget.open && setIsWanted(true)}
    >
      <summary>
        <h3>{nameOf(share.run.organization.id)}</h3>
      </summary>
      {content}
    </details>
  );
}

type OpenedShareProps = Omit<ShareProps, "isAlone" | "isUnfolded" | "isOpenedAtOnce">;

function OpenedShare({ task, run, encrypted, description, onOpened }: OpenedShareProps) {
  const [method, setMethod] = useState<string>();
  const key = encrypted ? heldKey.value?.fingerprint : undefined;
  const asked = useAsked(
    async (signal) => ({
      opened: await openShare({ task, run, encrypted, description, method, signal }),
    }),
    // A result that is signed with a key of which nobody knew is opened once the key is accepted.
    [run.id, run.attempt, run.status, key, description, method, seenKeys.changes.value.length],
  );
  const opened = asked.value?.opened;
  useEffect(() => () => closeShare(run.id), [run.id]);
  useEffect(() => {
    if (opened) onOpened(run.id, opened);
  }, [opened]);
  if (asked.error !== undefined) {
    return (
      <div class="notice bad" role="alert">
        <p>{words.cannotOpen(messageFor(asked.error))}</p>
        <button type="button" onClick={asked.again}>{texts.parts.again}</button>
      </div>
    );
  }
  if (!asked.value) return <Loading />;
  if (!opened) return <p>{run.cleanup_at ? words.removed : words.empty}</p>;
  return (
    <>
      <div class="share-tools">
        <span class="quiet">{readAs(opened, description)}</span>
        <Save
          of={{ id: run.id, as: "json" }}
          label={words.saveAll}
          file={`result-${run.id}.json`}
        />
      </div>
      {opened.methods.length > 1 && !opened.isCertain && (
        <Choice
          label={words.method}
          help={words.methodHelp}
          value={method ?? ""}
          onValue={(value) => setMethod(value === "" ? undefined : value)}
          options={[["", words.asItIs], ...opened.methods.map((one) => [one, one] as const)]}
        />
      )}
      <WithheldPanel withheld={opened.withheld} />
      {opened.notes.length > 0 && (
        <ul class="notes">
          {opened.notes.map((note, index) => (
            <li key={index}>
              <Plain text={note} />
            </li>
          ))}
        </ul>
      )}
      {!opened.isJson && <TextResult opened={opened} />}
      <div class="pieces">
        {opened.pieces.map((piece, index) => (
          <ShownPieceView key={index} id={run.id} index={index} piece={piece} />
        ))}
      </div>
      {opened.empty.length > 0 && (
        <p class="quiet">
          {words.withoutValue} <Plain text={opened.empty.join(", ")} />
        </p>
      )}
    </>
  );
}

function TextResult({ opened: { text, length } }: { opened: Opened }) {
  return (
    <>
      <p class="quiet">{words.noJson}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={words.text}>
        <pre>
          <Plain text={text} lines />
        </pre>
      </div>
      {length > text.length && <p class="quiet">{words.beginning(text.length, length)}</p>}
    </>
  );
}

function readAs({ method, size }: Opened, description: ToldDescription | undefined): string {
  const label = method === undefined ? undefined : description?.methods[method]?.label ?? method;
  return words.readAs(label === undefined ? undefined : visible(label), size);
}
