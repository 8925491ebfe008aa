/**
 * The organizations of a collaboration or of a study: who is in it, who may come in, who may go.
 * @module
 */
import { useState } from "preact/hooks";
import type { Organization } from "../../../shared/contract/organization.ts";
import { Choice } from "../parts/field.tsx";
import { messageFor, Show, useAsked } from "../parts/loading.tsx";
import { visible } from "../parts/visible.ts";
import { isSessionEnd } from "../session/session.ts";
import { administration } from "../texts/administration.ts";
import { Confirm } from "./confirm.tsx";
import { RecordLink } from "./facts.tsx";
import type { Option } from "./form_values.ts";

const words = administration.members;

interface MembersProps {
  members: Organization[];
  /** What goes along when one goes. */
  goesAlong: string;
  /** Left out where the reader may not. */
  candidates?: ((signal: AbortSignal) => Promise<Option[]>) | undefined;
  add: (organizationId: number) => Promise<unknown>;
  remove: (organizationId: number) => Promise<unknown>;
  onChanged: () => void;
}

export function Members(
  { members, goesAlong, candidates, add, remove, onChanged }: MembersProps,
) {
  const [leaving, setLeaving] = useState<Organization>();
  return (
    <section class="card">
      <h2>{words.title}</h2>
      {members.length === 0 && <p>{words.nobody}</p>}
      <ul class="members">
        {members.map((member) => (
          <li key={member.id}>
            <RecordLink path="organizations" id={member.id} name={member.name} />
            {candidates && members.length > 1 && (
              <button
                type="button"
                class="plain"
                aria-label={words.removeOne(visible(member.name))}
                onClick={() => setLeaving(member)}
              >
                {words.remove}
              </button>
            )}
          </li>
        ))}
      </ul>
      {candidates && <Add {...{ candidates, members, add, onChanged }} />}
      {leaving && (
        <Confirm
          title={words.removeTitle(leaving.name)}
          text={goesAlong}
          button={words.remove}
          act={() => remove(leaving.id)}
          onDone={() => {
            setLeaving(undefined);
            onChanged();
          }}
          onClose={() => setLeaving(undefined)}
        />
      )}
    </section>
  );
}

function Add({ candidates, members, add, onChanged }: {
  candidates: (signal: AbortSignal) => Promise<Option[]>;
  members: Organization[];
  add: (organizationId: number) => Promise<unknown>;
  onChanged: () => void;
}) {
  const asked = useAsked(candidates, []);
  const [chosen, setChosen] = useState("");
  const [wrong, setWrong] = useState<string>();
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setWrong(undefined);
    try {
      await add(Number(chosen));
      setChosen("");
      onChanged();
    } catch (error) {
      if (!isSessionEnd(error)) setWrong(messageFor(error));
    }
  }
  const inIt = new Set(members.map(({ id }) => String(id)));
  return (
    <Show asked={asked}>
      {(all) => {
        const options = all.filter(({ value }) => !inIt.has(value));
        if (options.length === 0) return null;
        return (
          <form class="filters" onSubmit={submit}>
            <Choice
              label={words.add}
              value={chosen}
              onValue={setChosen}
              wrong={wrong}
              options={[
                ["", administration.form.choose],
                ...options.map(({ value, text }) => [value, visible(text)] as const),
              ]}
            />
            <button type="submit" disabled={chosen === ""}>{words.addButton}</button>
          </form>
        );
      }}
    </Show>
  );
}
