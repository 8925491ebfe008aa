import { useState } from "preact/hooks";
import type { OwnSession } from "../../../shared/contract/session.ts";
import { messageFor, Show, useAsked } from "../parts/loading.tsx";
import { Plain } from "../parts/plain.tsx";
import { momentOf } from "../parts/moment.ts";
import { When } from "../parts/time.tsx";
import { client, isSessionEnd } from "../session/session.ts";
import { me } from "../texts/me.ts";

const words = me.sessions;
const SHORT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** One's log-ins that go on, each to be ended. */
export function Sessions() {
  const asked = useAsked((signal) => client.logIns.list({ signal }), []);
  const [wrong, setWrong] = useState<string>();

  async function end(what: Promise<unknown>): Promise<void> {
    setWrong(undefined);
    try {
      await what;
      asked.again();
    } catch (error) {
      if (!isSessionEnd(error)) setWrong(messageFor(error));
    }
  }

  return (
    <section class="card">
      <h2>{words.title}</h2>
      <p>{words.help}</p>
      <div role="alert">{wrong !== undefined && <p class="notice bad">{wrong}</p>}</div>
      <Show asked={asked}>
        {(sessions) => (
          <>
            <div class="scroll" tabIndex={0} role="region" aria-label={words.title}>
              <table>
                <thead>
                  <tr>{words.columns.map((label) => <th key={label} scope="col">{label}</th>)}</tr>
                </thead>
                <tbody>
                  {sessions.map((session) => (
                    <Row
                      key={session.id}
                      session={session}
                      onEnd={() => void end(client.logIns.end(session.id))}
                    />
                  ))}
                </tbody>
              </table>
            </div>
            {sessions.length > 1 && (
              <button
                type="button"
                onClick={() => void end(client.logIns.endOthers())}
              >
                {words.endOthers}
              </button>
            )}
          </>
        )}
      </Show>
    </section>
  );
}

function Row({ session, onEnd }: { session: OwnSession; onEnd: () => void }) {
  const { begun_at, expires_at, networks, is_this } = session;
  return (
    <tr>
      <td>
        <When at={begun_at} />
      </td>
      <td>
        <When at={expires_at} />
      </td>
      <td>
        <Plain text={networks.join(", ") || words.unknown} />
      </td>
      <td>
        {is_this ? words.isThis : (
          <button
            type="button"
            class="plain"
            aria-label={words.endOne(SHORT.format(momentOf(begun_at)))}
            onClick={onEnd}
          >
            {words.end}
          </button>
        )}
      </td>
    </tr>
  );
}
