/**
 * The node's databases, as `deno task node check` shows them.
 * @module
 */
import { useEffect, useState } from "preact/hooks";
import { Plain } from "../../../page/parts/plain.tsx";
import { Failure, Show, useAsked } from "../../../page/parts/loading.tsx";
import { When } from "../../../page/parts/time.tsx";
import { type DatabaseFindings, databases } from "../contract.ts";
import { Mark, WideTable } from "./parts.tsx";
import { ask } from "./session.ts";
import { texts } from "./texts.ts";

const words = texts.data;
const WHILE_LOOKING_MS = 500;

export function DataScreen() {
  const asked = useAsked((signal) => ask("databases", databases, { signal }), []);
  const [failure, setFailure] = useState<unknown>();
  const looking = asked.value?.looking ?? false;
  useEffect(() => {
    if (!looking) return;
    const timer = setInterval(asked.again, WHILE_LOOKING_MS);
    return () => clearInterval(timer);
  }, [looking]);

  async function look(): Promise<void> {
    try {
      asked.set(await ask("databases/look", databases, { body: {} }));
      setFailure(undefined);
    } catch (error) {
      setFailure(error);
    }
  }

  return (
    <>
      <header>
        <h1>{words.title}</h1>
        <div class="buttons">
          <button type="button" onClick={() => void look()} disabled={looking}>{words.look}</button>
        </div>
      </header>
      <p>{words.intro}</p>
      {failure !== undefined && <Failure error={failure} />}
      <Show asked={asked}>
        {({ databases: all, looked_at }) => (
          <>
            <p role="status">
              {looking ? words.looking : looked_at === null ? words.notYet : (
                <>
                  {words.looked} <When at={looked_at} />
                </>
              )}
            </p>
            {all.length === 0 && <p>{words.none}</p>}
            {all.map((one) => <Database key={one.label} database={one} />)}
          </>
        )}
      </Show>
    </>
  );
}

function Database({ database: { label, type, path, findings } }: { database: DatabaseFindings }) {
  const prefix = `database ${label}`;
  return (
    <section class="card">
      <h2>
        <Plain text={label} />
      </h2>
      <p>
        {type}, {path === null ? words.address : <Plain text={path} />}
      </p>
      {findings.length > 0 && (
        <WideTable
          caption={`${label}: ${words.found}`}
          columns={[words.what, words.state, words.found]}
        >
          {findings.map(({ name, well, note }) => (
            <tr key={name}>
              <th scope="row">
                <Plain text={name.slice(prefix.length).replace(/^, /, "") || words.whole} />
              </th>
              <td>
                <Mark tone={well ? "good" : "bad"}>{well ? words.well : words.wrong}</Mark>
              </td>
              <td class="wide">
                <Plain text={note} />
              </td>
            </tr>
          ))}
        </WideTable>
      )}
    </section>
  );
}
