/**
 * Small results of several organizations, in one table.
 * @module
 */
import type { RunWithTask } from "../../../shared/contract/task.ts";
import { texts } from "../texts.ts";
import { csvOf } from "./csv.ts";
import { useNames } from "./organization_names.ts";
import { ResultTable } from "./parts/result_table.tsx";
import { SaveMade } from "./parts/save.tsx";
import type { Cell, Table } from "./read/pieces.ts";
import type { Opened } from "./worker/calls.ts";

const words = texts.results;

export function SmallTable({ taskId, runs, opened }: {
  taskId: number;
  runs: readonly RunWithTask[];
  opened: ReadonlyMap<number, Opened>;
}) {
  const nameOf = useNames();
  const small = runs.flatMap((run) => {
    const cells = opened.get(run.id)?.small;
    return cells ? [{ name: nameOf(run.organization.id), cells }] : [];
  });
  // Of what is large a table of all would tell only a part.
  if (small.length < 2 || small.length < opened.size) return null;
  const table = tableOfAll(small);
  return (
    <section class="piece">
      <ResultTable caption={words.byOrganization} table={table} rows={table.rows.length} />
      {small.length < runs.length && (
        <p class="quiet">{words.openedOf(small.length, runs.length)}</p>
      )}
      <SaveMade
        label={words.saveTable(words.byOrganization)}
        text={words.csv}
        file={`task-${taskId}.csv`}
        make={() => new Blob(csvOf(table), { type: "text/csv;charset=utf-8" })}
      />
    </section>
  );
}

function tableOfAll(small: { name: string; cells: [string, Cell][] }[]): Table {
  const columns = [...new Set(small.flatMap(({ cells }) => cells.map(([name]) => name)))];
  return {
    columns: [words.organizationColumn, ...columns],
    rows: small.map(({ name, cells }) => {
      const values = new Map(cells);
      return [name, ...columns.map((column) => values.get(column) ?? null)];
    }),
  };
}
