/**
 * What the rules of sites withheld, and why: never what it was.
 * @module
 */
import { Plain } from "../../parts/plain.tsx";
import { texts } from "../../texts.ts";
import { useNames } from "../organization_names.ts";
import type { Withheld } from "../read/pieces.ts";

const words = texts.results.withheld;
const MOST = 100;

export function WithheldPanel({ withheld }: { withheld: readonly Withheld[] }) {
  if (withheld.length === 0) return null;
  const hasOrganizations = withheld.some(({ organization }) => organization !== null);
  return (
    <div class="notice warn withheld">
      <div class="scroll" tabIndex={0} role="region" aria-label={words.title}>
        <table>
          <caption>{words.title}</caption>
          <thead>
            <tr>
              {hasOrganizations && <th scope="col">{words.organization}</th>}
              <th scope="col">{words.part}</th>
              <th scope="col" class="number">{words.values}</th>
              <th scope="col">{words.why}</th>
            </tr>
          </thead>
          <tbody>
            {withheld.slice(0, MOST).map((one, index) => (
              <Row key={index} one={one} hasOrganizations={hasOrganizations} />
            ))}
          </tbody>
        </table>
      </div>
      {withheld.length > MOST && <p>{words.more(withheld.length - MOST)}</p>}
    </div>
  );
}

function Row({ one, hasOrganizations }: { one: Withheld; hasOrganizations: boolean }) {
  const { organization, output, rule, values } = one;
  const nameOf = useNames();
  const why = Object.hasOwn(words.rules, rule) ? words.rules[rule] : undefined;
  const isRounded = rule === "round_to";
  return (
    <tr>
      {hasOrganizations && <th scope="row">{organization === null ? "–" : nameOf(organization)}
      </th>}
      <td>{output === "*" ? words.all : <Plain text={output} />}</td>
      <td class="number">{isRounded || output === "*" ? "–" : values}</td>
      <td>
        {why ?? <Plain text={rule} />}
        {why !== undefined && <code class="rule">{rule.split(" ", 1)[0]}</code>}
      </td>
    </tr>
  );
}
