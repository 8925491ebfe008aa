/**
 * What was asked of the node, which rule refused it, and what left: from the audit log, the latest
 * first.
 * @module
 */
import { useState } from "preact/hooks";
import { Plain } from "../../../page/parts/plain.tsx";
import { Choice } from "../../../page/parts/field.tsx";
import { Failure, Show, useAsked } from "../../../page/parts/loading.tsx";
import { When } from "../../../page/parts/time.tsx";
import { history, type PastRun } from "../contract.ts";
import { type Filter, FILTERS, isShown, keyOf, outcomeOf, withOlder } from "./outcome.ts";
import { AskedBy, Digest, Mark, RunName, sizeText, WideTable } from "./parts.tsx";
import { ask } from "./session.ts";
import { texts } from "./texts.ts";

const words = texts.runs;

export function RunsScreen() {
  const asked = useAsked((signal) => ask("history", history, { signal }), []);
  const [filter, setFilter] = useState<Filter>("all");
  const [failure, setFailure] = useState<unknown>();

  async function lookFurther(before: number): Promise<void> {
    try {
      const { runs, next } = await ask(`history?before=${before}`, history);
      asked.set({ runs: withOlder(asked.value!.runs, runs), next });
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
      <Choice
        label={words.show}
        value={filter}
        onValue={(value) => setFilter(FILTERS.find((one) => one === value)!)}
        options={FILTERS.map((one) => [one, words.filters[one]])}
      />
      <Show asked={asked}>
        {({ runs, next }) => (
          <section class="card">
            <Table runs={runs.filter((run) => isShown(run, filter))} isAll={runs.length === 0} />
            {failure !== undefined && <Failure error={failure} />}
            {next !== null && (
              <p class="buttons">
                <button type="button" onClick={() => void lookFurther(next)}>{words.more}</button>
              </p>
            )}
          </section>
        )}
      </Show>
    </>
  );
}

function Table({ runs, isAll }: { runs: readonly PastRun[]; isAll: boolean }) {
  const { run } = texts;
  if (runs.length === 0) return <p role="status">{isAll ? words.noRuns : words.empty}</p>;
  const columns = [
    words.when,
    run.run,
    run.askedBy,
    run.algorithm,
    words.outcome,
    words.left,
  ];
  return (
    <WideTable caption={words.title} columns={columns}>
      {runs.map((one) => <Row key={keyOf(one)} run={one} />)}
    </WideTable>
  );
}

function Row({ run }: { run: PastRun }) {
  const { tone, word, reasons } = outcomeOf(run);
  const { asked, left, code } = run;
  return (
    <tr>
      <td>
        <When at={run.received_at ?? run.at} />
      </td>
      <td>
        <RunName {...run} />
      </td>
      <td>{asked ? <AskedBy {...asked} /> : texts.run.unknown}</td>
      <td class="wide">
        {asked?.image === undefined ? texts.run.unknown : <Plain text={asked.image} />}
        {code !== null && (
          <span class="quiet">
            {texts.run.code} <Digest text={code} />
          </span>
        )}
        {asked?.databases && asked.databases.length > 0 && (
          <span class="quiet">
            <Plain text={asked.databases.join(", ")} />
          </span>
        )}
      </td>
      <td class="wide">
        <Mark tone={tone}>
          <Plain text={word} />
        </Mark>
        {reasons.map((reason) => (
          <span class="quiet" key={reason}>
            <Plain text={reason} />
          </span>
        ))}
      </td>
      <td>
        {left.length === 0
          ? words.nothingLeft
          : left.map(({ at, what, bytes, sha256 }) => (
            <div key={at + sha256} class="left">
              {words.what[what] ?? what}: {sizeText(bytes)}
              <span class="quiet">
                <Digest text={sha256} /> <When at={at} />
              </span>
            </div>
          ))}
      </td>
    </tr>
  );
}
