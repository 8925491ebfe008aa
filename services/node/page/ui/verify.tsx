/**
 * Whether the audit log is whole, as `deno task node audit verify` finds it.
 * @module
 */
import { useState } from "preact/hooks";
import { Plain } from "../../../page/parts/plain.tsx";
import { Field } from "../../../page/parts/field.tsx";
import { Failure } from "../../../page/parts/loading.tsx";
import { When } from "../../../page/parts/time.tsx";
import { verification, type Verified } from "../contract.ts";
import { ask } from "./session.ts";
import { texts } from "./texts.ts";

const words = texts.record;

export function Verify() {
  const [expect, setExpect] = useState("");
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<Verified>();
  const [failure, setFailure] = useState<unknown>();
  const given = expect.trim().toLowerCase();
  const isWrong = given !== "" && !/^[0-9a-f]{64}$/.test(given);

  async function verify(event: Event): Promise<void> {
    event.preventDefault();
    if (isWrong) return;
    setBusy(true);
    setFailure(undefined);
    try {
      setFound(await ask("audit/verify", verification, { body: { expect: given || null } }));
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <section class="card">
      <h2>{words.verify}</h2>
      <p>{words.verifyIntro}</p>
      <form onSubmit={verify}>
        <Field
          label={words.expect}
          help={words.expectHelp}
          wrong={isWrong ? words.expectWrong : undefined}
          value={expect}
          onValue={setExpect}
        />
        <p class="buttons">
          <button type="submit" disabled={busy}>{words.doVerify}</button>
        </p>
      </form>
      <div role="status">
        {busy ? words.verifying : found && <Found found={found} />}
      </div>
      {failure !== undefined && <Failure error={failure} />}
    </section>
  );
}

function Found({ found }: { found: Verified }) {
  if (!found.ok) return <p class="notice bad">{words.broken(found.line, found.problem)}</p>;
  const { records, from, to, last, checkpoints, alarms } = found;
  return (
    <>
      <div class="notice good">
        <p>
          <strong>{words.whole(records)}</strong> {words.from} <When at={from} /> {words.to}{" "}
          <When at={to} />.
        </p>
        <p>
          {words.last}: <code>{last}</code>
        </p>
        {checkpoints.map(({ service, size, since }) => (
          <p key={service}>
            {words.checkpoint(service, size)}, {words.provenSince} <When at={since} />
          </p>
        ))}
      </div>
      {alarms.map(({ at, service, problem }) => (
        <p class="notice bad" key={at + service}>
          <When at={at} /> {words.alarm(service)}: <Plain text={problem} />
        </p>
      ))}
    </>
  );
}
