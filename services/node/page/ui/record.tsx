/**
 * The audit log, and whether it is whole.
 * @module
 */
import { useState } from "preact/hooks";
import { AUDIT_EVENTS } from "../../record/audit_events.ts";
import { Plain } from "../../../page/parts/plain.tsx";
import { Choice, Field } from "../../../page/parts/field.tsx";
import { Failure, Show, useAsked } from "../../../page/parts/loading.tsx";
import { When } from "../../../page/parts/time.tsx";
import { auditPage, type ShownRecord } from "../contract.ts";
import { WideTable } from "./parts.tsx";
import { ask } from "./session.ts";
import { texts } from "./texts.ts";
import { Verify } from "./verify.tsx";

const words = texts.record;

export function RecordScreen() {
  const [event, setEvent] = useState("");
  const [task, setTask] = useState("");
  const [failure, setFailure] = useState<unknown>();
  const isNumber = /^\d{1,10}$/.test(task);
  function query(before?: number): string {
    return `audit?${new URLSearchParams({
      ...(event ? { event } : {}),
      ...(isNumber ? { task } : {}),
      ...(before === undefined ? {} : { before: String(before) }),
    })}`;
  }
  const asked = useAsked(
    (signal) => ask(query(), auditPage, { signal }),
    [event, isNumber ? task : ""],
  );

  async function lookFurther(before: number): Promise<void> {
    try {
      const { records, ...rest } = await ask(query(before), auditPage);
      asked.set({ ...rest, records: [...asked.value!.records, ...records] });
      setFailure(undefined);
    } catch (error) {
      setFailure(error);
    }
  }

  return (
    <>
      <header>
        <h1>{words.title}</h1>
      </header>
      <Verify />
      <section class="card">
        <h2>{words.records}</h2>
        <div class="filters">
          <Choice
            label={words.event}
            value={event}
            onValue={setEvent}
            options={[["", words.allEvents], ...AUDIT_EVENTS.map((one) => [one, one] as const)]}
          />
          <Field label={words.task} value={task} onValue={setTask} inputMode="numeric" />
        </div>
        <Show asked={asked}>
          {({ records, next, searched_to }) => (
            <>
              {records.length > 0
                ? <Records records={records} />
                : <p role="status">{words.nothing}</p>}
              {failure !== undefined && <Failure error={failure} />}
              {next === null ? <p>{words.beginning}</p> : (
                <p class="buttons">
                  <button type="button" onClick={() => void lookFurther(next)}>{words.more}</button>
                  <span>
                    {words.searchedTo} <When at={searched_to} />
                  </span>
                </p>
              )}
            </>
          )}
        </Show>
      </section>
    </>
  );
}

function Records({ records }: { records: readonly ShownRecord[] }) {
  const columns = [`#${words.number}`, words.at, words.event, words.details];
  return (
    <WideTable caption={words.records} columns={columns}>
      {records.map(({ seq, at, event, details, problem }, index) => (
        <tr key={index}>
          <td class="number">{seq}</td>
          <td>{at && <When at={at} />}</td>
          <td>
            <Plain text={event} />
          </td>
          <td class="wide">
            {problem !== null && <p class="notice bad">{words.problem(problem)}</p>}
            <Details details={details} />
          </td>
        </tr>
      ))}
    </WideTable>
  );
}

function Details({ details }: Pick<ShownRecord, "details">) {
  return (
    <ul class="details">
      {Object.entries(details).map(([name, value]) => (
        <li key={name}>
          <span class="detail-name">
            <Plain text={name} />
          </span>{" "}
          <Plain text={typeof value === "string" ? value : JSON.stringify(value)} />
        </li>
      ))}
    </ul>
  );
}
