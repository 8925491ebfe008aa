import { Plain } from "../parts/plain.tsx";
import { Sign } from "../parts/status.tsx";
import { newTask as words } from "../texts/new_task.ts";
import type { Site } from "./draft.ts";

/** What will be sent, and what is known to stand in its way. */
export function Summary(
  { image, method, asksOthers, sites }: {
    image: string;
    method: string;
    /** How it asks other organizations, in the algorithm's words. */
    asksOthers: string | undefined;
    sites: (Site & { trouble: string[] })[];
  },
) {
  return (
    <section class="card" aria-label={words.summary}>
      <h2>{words.summary}</h2>
      <p>
        <Plain text={words.runs(image, method)} />
      </p>
      <ul class="sites">
        {sites.map(({ organization, trouble }) => (
          <li key={organization.id}>
            <span class={`status ${trouble.length > 0 ? "warn" : "good"}`}>
              <Sign tone={trouble.length > 0 ? "warn" : "good"} />
              <Plain text={organization.name} />
            </span>
            {trouble.map((one) => <p key={one} class="trouble">{one}</p>)}
          </li>
        ))}
      </ul>
      {asksOthers && <p>{words.asks}: {asksOthers}.</p>}
      <p class="help">{words.unknownHelp}</p>
    </section>
  );
}
