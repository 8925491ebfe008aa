/**
 * The owner's rules that are in force.
 * @module
 */
import { Plain } from "../../../page/parts/plain.tsx";
import { Show, useAsked } from "../../../page/parts/loading.tsx";
import { rules, type Settings } from "../contract.ts";
import { WideTable } from "./parts.tsx";
import { ask } from "./session.ts";
import { texts } from "./texts.ts";

const words = texts.rules;

export function RulesScreen() {
  const asked = useAsked((signal) => ask("rules", rules, { signal }), []);
  return (
    <>
      <header>
        <h1>{words.title}</h1>
      </header>
      <p>{words.intro}</p>
      <Show asked={asked}>
        {({ disclosure, disclosure_is_said, policies, sharing, limits }) => (
          <>
            {disclosure
              ? <Section title={words.disclosure} settings={disclosure} />
              : (
                <section class="card">
                  <h2>{words.disclosure}</h2>
                  <p class={`notice ${disclosure_is_said ? "" : "warn"}`}>
                    {disclosure_is_said ? words.noneSaid : words.noDisclosure}
                  </p>
                </section>
              )}
            <Section title={words.policies} settings={policies} />
            <Section title={words.sharing} settings={sharing} />
            <Section title={words.limits} settings={limits} />
          </>
        )}
      </Show>
    </>
  );
}

function Section({ title, settings }: { title: string; settings: Settings }) {
  return (
    <section class="card">
      <WideTable caption={title} columns={[words.name, words.value]}>
        {settings.map(({ name, value }) => (
          <tr key={name}>
            <th scope="row">
              <Plain text={name} />
            </th>
            <td class="wide">
              <Plain text={value} />
            </td>
          </tr>
        ))}
      </WideTable>
    </section>
  );
}
