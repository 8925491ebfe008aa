import { Fragment } from "preact";
import { type Cell, choiceIn, matrixOf } from "../administration/rule_matrix.ts";
import { RuleTable } from "../administration/rules.tsx";
import { Show, useAsked } from "../parts/loading.tsx";
import { client } from "../session/session.ts";
import { administration } from "../texts/administration.ts";
import { me } from "../texts/me.ts";

const words = me.rules;

/** What one may do, in words, by noun. */
export function MyRules({ userId }: { userId: number }) {
  const asked = useAsked(async (signal) => {
    const [all, held] = await Promise.all([
      client.rules.list({}, { signal }).all(),
      client.rules.list({ user_id: userId }, { signal }).all(),
    ]);
    return { all, held };
  }, [userId]);
  return (
    <section class="card wide">
      <h2>{words.title}</h2>
      <Show asked={asked}>
        {({ all, held }) => {
          if (held.length === 0) return <p>{words.none}</p>;
          const ids = held.map(({ id }) => id);
          return (
            <>
              <p>{words.help}</p>
              <dl class="facts">
                {matrixOf(held).rows.map(({ noun, cells }) => (
                  <Fragment key={noun}>
                    <dt>{administration.rules.nouns[noun] ?? noun}</dt>
                    <dd>{cells.flatMap((cell) => cell ? [sentence(cell, ids)] : []).join("; ")}</dd>
                  </Fragment>
                ))}
              </dl>
              <details>
                <summary>{words.table}</summary>
                <RuleTable rules={all} held={ids} />
              </details>
            </>
          );
        }}
      </Show>
    </section>
  );
}

/** The widest scope of what is held: `see those of your collaborations`. */
function sentence(cell: Cell, held: readonly number[]): string {
  const scope = choiceIn(cell, held);
  const operation = words.operations[cell.operation] ?? cell.operation;
  return words.sentence(operation, words.scopes[scope] ?? scope);
}
