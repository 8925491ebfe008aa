/**
 * The filters of the list of tasks. They stand in the address: a link leads to the same list, and
 * the way back to the one before.
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { FINAL_STATUSES, OPEN_STATUSES } from "../../../shared/node_protocol/status.ts";
import { collaborationNames } from "../names/names.ts";
import { Choice, Field, Tick } from "../parts/field.tsx";
import { visible } from "../parts/visible.ts";
import { wordFor } from "../parts/status.tsx";
import { go, withQuery } from "../routes.ts";
import { texts } from "../texts.ts";
import { areUsual, type WorkFilters, writeFilters } from "./filters.ts";

const words = texts.work;
const STATUSES = [...OPEN_STATUSES, ...FINAL_STATUSES];
/** How long somebody may think between two letters. */
const TYPING_MS = 300;

export function FilterForm({ filters }: { filters: WorkFilters }) {
  function change(part: Partial<WorkFilters>): void {
    go(withQuery(writeFilters({ ...filters, page: 1, ...part })), { replace: true });
  }
  return (
    <form
      class="work-filters"
      aria-label={words.filters}
      onSubmit={(event) => event.preventDefault()}
    >
      <SearchField value={filters.search} onSearch={(search) => change({ search })} />
      <Choice
        label={words.status}
        value={filters.status}
        onValue={(status) => change({ status })}
        options={[["", words.anyStatus], ...STATUSES.map((one) => [one, wordFor(one)] as const)]}
      />
      <Choice
        label={words.collaboration}
        value={filters.collaboration}
        onValue={(collaboration) => change({ collaboration })}
        options={[
          ["", words.anyCollaboration],
          ...collaborationOptions(filters.collaboration),
        ]}
      />
      <Choice
        label={words.whose}
        value={filters.ownOnly ? "own" : ""}
        onValue={(whose) => change({ ownOnly: whose === "own" })}
        options={[["", words.everybodys], ["own", words.ownOnly]]}
      />
      <Field
        label={words.from}
        type="date"
        value={filters.from}
        onValue={(from) => change({ from })}
      />
      <Field
        label={words.till}
        type="date"
        value={filters.till}
        onValue={(till) => change({ till })}
      />
      <Tick
        label={words.subtasks}
        checked={filters.subtasks}
        onChecked={(subtasks) => change({ subtasks })}
      />
      {!areUsual(filters) && (
        <button
          type="button"
          class="plain"
          onClick={() => go(withQuery({}), { replace: true })}
        >
          {words.clear}
        </button>
      )}
    </form>
  );
}

function collaborationOptions(chosen: string): [string, string][] {
  const known = collaborationNames.all().map((
    [id, name],
  ): [string, string] => [String(id), visible(name)]);
  // Until the names have come the chosen one is to stay chosen.
  if (chosen === "" || known.some(([id]) => id === chosen)) return known;
  return [[chosen, texts.names.collaboration(Number(chosen))], ...known];
}

/** Asks when the typing pauses; follows the address when that changes otherwise. */
function SearchField({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    if (timer.current === undefined) setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  function type(next: string): void {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      timer.current = undefined;
      onSearch(next);
    }, TYPING_MS);
  }
  return <Field label={words.search} type="search" value={text} onValue={type} />;
}
