import { organizationNames } from "../names/names.ts";
import { Plain } from "../parts/plain.tsx";
import { When } from "../parts/time.tsx";
import { texts } from "../texts.ts";
import { type Family, heldRuns } from "./family.ts";

const words = texts.task;
/** The others stand in the picture. */
const MOST = 10;

/** At which organizations results wait for people to release them. */
export function Waiting({ family }: { family: Family }) {
  const held = heldRuns(family);
  return (
    <div role="status">
      {held.length > 0 && (
        <section class="notice warn">
          <h2>{words.waits}</h2>
          <ul class="bare">
            {held.slice(0, MOST).map(({ id, organization, held_since }) => (
              <li key={id}>
                {words.waitsAt} <Plain text={organizationNames.of(organization.id)} />,{" "}
                {words.since} <When at={held_since} />
              </li>
            ))}
            {held.length > MOST && <li>{words.more(held.length - MOST)}</li>}
          </ul>
        </section>
      )}
    </div>
  );
}
