/**
 * Whether the hub is well, asked again every few seconds.
 * @module
 */
import { useEffect } from "preact/hooks";
import { Show, useAsked } from "../parts/loading.tsx";
import { Plain } from "../parts/plain.tsx";
import { Sign } from "../parts/status.tsx";
import { client } from "../session/session.ts";
import { administration } from "../texts/administration.ts";
import { Fact, Facts } from "./facts.tsx";

const words = administration.health;
const EVERY_MS = 10_000;

export function Health() {
  const health = useAsked((signal) => client.hub.health({ signal }), []);
  const version = useAsked((signal) => client.hub.version({ signal }), []);
  useEffect(() => {
    const timer = setInterval(health.again, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <>
      <header>
        <h1>{words.title}</h1>
        <div class="buttons">
          <button type="button" onClick={health.again}>{words.again}</button>
        </div>
      </header>
      <Show asked={health}>
        {({ database, msg, services }) => (
          <>
            <p role="status" class={`notice ${allWell(services) ? "good" : "bad"}`}>
              <Plain text={msg} />
            </p>
            <div class="scroll" tabIndex={0} role="region" aria-label={words.services}>
              <table>
                <caption>{words.services}</caption>
                <thead>
                  <tr>{words.columns.map((label) => <th key={label} scope="col">{label}</th>)}</tr>
                </thead>
                <tbody>
                  {Object.entries({ ...services, database: { ok: database, reason: undefined } })
                    .map(([name, { ok, reason }]) => (
                      <tr key={name}>
                        <th scope="row">{words.names[name] ?? name}</th>
                        <td>
                          <span class={`status ${ok ? "good" : "bad"}`}>
                            <Sign tone={ok ? "good" : "bad"} />
                            {ok ? words.well : words.unwell}
                          </span>
                        </td>
                        <td>{reason !== undefined && <Plain text={reason} />}</td>
                      </tr>
                    ))}
                </tbody>
              </table>
            </div>
          </>
        )}
      </Show>
      <Show asked={version}>
        {({ version, sextant }) => (
          <Facts>
            <Fact label={words.sextant}>{sextant}</Fact>
            <Fact label={words.v6}>{version}</Fact>
          </Facts>
        )}
      </Show>
    </>
  );
}

function allWell(services: Record<string, { ok: boolean }>): boolean {
  return Object.values(services).every(({ ok }) => ok);
}
