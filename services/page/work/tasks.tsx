/**
 * The tasks that one may see.
 * @module
 */
import { Show, useAsked } from "../parts/loading.tsx";
import { StatusMark } from "../parts/status.tsx";
import { When } from "../parts/time.tsx";
import { client } from "../session/session.ts";
import { texts } from "../texts.ts";

export function Screen() {
  const asked = useAsked((signal) => client.tasks.list({}, { signal, perPage: 50 }).page(1), []);
  return (
    <>
      <header>
        <h1>{texts.frame.work}</h1>
      </header>
      <Show asked={asked}>
        {({ items }) => (
          <ul>
            {items.map(({ id, name, status, created_at }) => (
              <li key={id}>
                {name} <StatusMark status={status} /> <When at={created_at} />
              </li>
            ))}
          </ul>
        )}
      </Show>
    </>
  );
}
