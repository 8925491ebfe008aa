/**
 * The list of a noun: found by name, filtered, page by page. What is asked stands in the address.
 * @module
 */
import type { ComponentChildren } from "preact";
import { named } from "../parts/visible.ts";
import { useEffect, useState } from "preact/hooks";
import type { Principal } from "../../../shared/contract/permissions.ts";
import { Show, useAsked } from "../parts/loading.tsx";
import { Field } from "../parts/field.tsx";
import { go, place, to, withQuery } from "../routes.ts";
import { texts } from "../texts.ts";
import { administration } from "../texts/administration.ts";
import { DescribedField } from "./form.tsx";
import type { Identified, Noun, Page } from "./noun.ts";

const words = administration.list;

export function NounList({ noun, who }: { noun: Noun; who: Principal }) {
  const query = place.value.query;
  const search = query.get("search") ?? "";
  const page = pageOf(query);
  const filters = Object.fromEntries(
    (noun.filters ?? []).flatMap(({ name }) => query.get(name) ? [[name, query.get(name)!]] : []),
  );
  const asked = useAsked(
    (signal) => noun.list({ page, search, filters, signal }),
    [noun.path, query.toString()],
  );

  const shown = asked.value;
  noun.useChanges?.({
    items: shown?.items ?? [],
    set: (items) => shown && asked.set({ ...shown, items }),
    again: asked.again,
  });

  function ask(changes: Record<string, string>): void {
    go(withQuery({ search, ...filters, ...changes }));
  }

  return (
    <>
      <header>
        <h1>{noun.words.many}</h1>
        {noun.create?.may(who) && (
          <div class="buttons">
            <a class="button" href={to("administration", noun.path, "new")}>{noun.words.create}</a>
          </div>
        )}
      </header>
      <Search search={search} onSearch={(text) => ask({ search: text })}>
        {(noun.filters ?? []).map((field) => (
          <DescribedField
            key={field.name}
            field={field}
            values={filters}
            onValue={(value) => ask({ [field.name]: String(value) })}
          />
        ))}
      </Search>
      <Show asked={asked}>
        {(page) => <Table noun={noun} page={page} />}
      </Show>
      <Pages page={page} of={shown} query={{ search, ...filters }} />
    </>
  );
}

export function pageOf(query: URLSearchParams): number {
  const page = Number(query.get("page") ?? 1);
  return Number.isInteger(page) && page > 0 ? page : 1;
}

function Search({ search, onSearch, children }: {
  search: string;
  onSearch: (text: string) => void;
  children: ComponentChildren;
}) {
  const [text, setText] = useState(search);
  useEffect(() => setText(search), [search]);
  return (
    <form
      role="search"
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(text);
      }}
    >
      <Field label={words.name} type="search" value={text} onValue={setText} />
      {children}
      <button type="submit">{words.search}</button>
    </form>
  );
}

function Table({ noun, page: { items } }: { noun: Noun; page: Page<Identified> }) {
  if (items.length === 0) return <p>{words.nothing}</p>;
  const [first, ...rest] = noun.columns;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={noun.words.many}>
      <table>
        <thead>
          <tr>{noun.columns.map(({ label }) => <th key={label} scope="col">{label}</th>)}</tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.id}>
              <th scope="row">
                <a href={to("administration", noun.path, item.id)}>
                  {named(noun.titleOf(item), "") === "" ? `#${item.id}` : first!.show(item)}
                </a>
              </th>
              {rest.map(({ label, show }) => <td key={label}>{show(item)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The way to the next page and back. */
export function Pages({ page, of, query }: {
  page: number;
  /** `undefined` until the hub has said it. */
  of: { pages: number; total: number } | undefined;
  query: Record<string, string | undefined>;
}) {
  if (of === undefined) return null;
  const { pages, total } = of;
  if (page === 1 && pages <= 1) {
    return total > 0 ? <p class="quiet">{texts.parts.inAll(total)}</p> : null;
  }
  return (
    <nav class="pages" aria-label={words.pages}>
      {page > 1 && (
        <a class="button" rel="prev" href={withQuery({ ...query, page: page - 1 })}>
          {words.previous}
        </a>
      )}
      <span>{texts.parts.pageOf({ page, pages, total })}</span>
      {page < pages && (
        <a class="button" rel="next" href={withQuery({ ...query, page: page + 1 })}>
          {words.next}
        </a>
      )}
    </nav>
  );
}
