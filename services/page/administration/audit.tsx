/**
 * The audit record: who did what, and what was refused. And the seals over it, which those who do
 * not trust the hub's word compare with what their nodes have noted.
 * @module
 */
import { useState } from "preact/hooks";
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import type { auditRecord } from "../../../shared/contract/audit.ts";
import type { z } from "zod";
import { Show, useAsked } from "../parts/loading.tsx";
import { Plain } from "../parts/plain.tsx";
import { Sign } from "../parts/status.tsx";
import { When } from "../parts/time.tsx";
import { go, place, withQuery } from "../routes.ts";
import { client } from "../session/session.ts";
import { administration } from "../texts/administration.ts";
import { Fact } from "./facts.tsx";
import { DescribedField } from "./form.tsx";
import type { FieldDescription, FieldValue, Values } from "./form_values.ts";
import { pageOf, Pages } from "./list.tsx";
import { PER_PAGE } from "./noun.ts";

type Entry = z.infer<typeof auditRecord>;

const words = administration.audit;
const labels = words.filters;

const any = { value: "", text: administration.list.all };
const options = (names: readonly string[], told: Record<string, string> = {}) => [
  any,
  ...names.map((value) => ({ value, text: told[value] ?? value })),
];

/** By the names of the API's filters. */
const FILTERS: FieldDescription[] = [
  { kind: "text", name: "what", label: labels.what, help: words.whatHelp },
  {
    kind: "choice",
    name: "outcome",
    label: labels.outcome,
    options: options(["done", "refused"], words.outcomes),
  },
  {
    kind: "choice",
    name: "who_kind",
    label: labels.who_kind,
    options: options(["user", "node", "container", "operator"], words.kinds),
  },
  { kind: "text", name: "who_id", label: labels.who_id, type: "number" },
  { kind: "text", name: "organization_id", label: labels.organization_id, type: "number" },
  { kind: "text", name: "object", label: labels.object, help: words.objectHelp },
  { kind: "text", name: "object_id", label: labels.object_id, type: "number" },
  { kind: "choice", name: "service", label: labels.service, options: options(HUB_SERVICES) },
  { kind: "text", name: "request_id", label: labels.request_id },
  { kind: "text", name: "from", label: labels.from, type: "date" },
  { kind: "text", name: "till", label: labels.till, type: "date" },
];

export function AuditRecord() {
  const { query } = place.value;
  const page = pageOf(query);
  const asked = useAsked((signal) => {
    const filters = Object.fromEntries(
      FILTERS.flatMap(({ name }) => query.get(name) ? [[name, query.get(name)!]] : []),
    );
    return client.audit
      .list(withWholeDays(filters), { signal, perPage: PER_PAGE })
      .page(page);
  }, [query.toString()]);
  return (
    <>
      <header>
        <h1>{words.title}</h1>
      </header>
      <Filters key={query.toString()} query={query} />
      <Show asked={asked}>{({ items }) => <Entries entries={items} />}</Show>
      <Pages
        page={page}
        of={asked.value}
        query={Object.fromEntries(query)}
      />
      <Seals />
    </>
  );
}

/** A day that is given as the last one belongs to it. */
export function withWholeDays(filters: Record<string, string>): Record<string, string> {
  const { from, till } = filters;
  const moment = (day: string, time: string) => new Date(`${day}T${time}`).toISOString();
  return {
    ...filters,
    ...(from ? { from: moment(from, "00:00:00") } : {}),
    ...(till ? { till: moment(till, "23:59:59.999") } : {}),
  };
}

function Filters({ query }: { query: URLSearchParams }) {
  const [values, setValues] = useState<Values>(Object.fromEntries(query));
  function search(event: Event): void {
    event.preventDefault();
    const given = FILTERS.map(({ name }) => [name, String(values[name] ?? "")]);
    go(withQuery(Object.fromEntries(given)));
  }
  return (
    <form role="search" class="filters" onSubmit={search}>
      {FILTERS.map((field) => (
        <DescribedField
          key={field.name}
          field={field}
          values={values}
          onValue={(value: FieldValue) =>
            setValues((before) => ({ ...before, [field.name]: value }))}
        />
      ))}
      <div class="buttons">
        <button type="submit">{administration.list.search}</button>
        <button type="button" onClick={() => go(withQuery({}))}>{words.clear}</button>
      </div>
    </form>
  );
}

function Entries({ entries }: { entries: Entry[] }) {
  if (entries.length === 0) return <p>{administration.list.nothing}</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={words.title}>
      <table>
        <thead>
          <tr>
            {words.columns.map((label) => <th key={label} scope="col">{label}</th>)}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={`${entry.service} ${entry.id}`}>
              <td>
                <When at={entry.at} />
              </td>
              <td>{whoText(entry)}</td>
              <th scope="row">
                <Plain text={entry.what} />
              </th>
              <td>{objectText(entry)}</td>
              <td>
                <span class={`status ${entry.outcome === "done" ? "good" : "bad"}`}>
                  <Sign tone={entry.outcome === "done" ? "good" : "bad"} />
                  {words.outcomes[entry.outcome]}
                </span>
              </td>
              <td>
                <More entry={entry} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function whoText({ who }: Entry): string {
  if (who === null) return words.nobody;
  const kind = words.kinds[who.kind] ?? who.kind;
  // The operator works beside the API, as nobody's user.
  if (who.kind === "operator") return kind;
  return words.who({ kind, id: who.id, organizationId: who.organization_id });
}

function objectText({ object }: Entry): string {
  if (object === null) return "";
  return object.id === null ? object.noun : `${object.noun} ${object.id}`;
}

function More({ entry }: { entry: Entry }) {
  const { service, request_id, status, code, method, path, data } = entry;
  const facts = Object.entries({
    service,
    request_id,
    request: path === null ? null : `${method ?? ""} ${path}`.trim(),
    status: status === null ? null : String(status),
    code,
    data: data === null || data === undefined ? null : JSON.stringify(data, null, 1),
  }).filter((fact): fact is [string, string] => fact[1] !== null);
  return (
    <details>
      <summary>{words.more}</summary>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <Fact key={name} label={words.facts[name] ?? name}>
            <Plain text={value} lines />
          </Fact>
        ))}
      </dl>
    </details>
  );
}

function Seals() {
  const asked = useAsked((signal) => client.audit.seals({}, { signal }), []);
  return (
    <section class="card">
      <h2>{words.seals}</h2>
      <p>{words.sealsHelp}</p>
      <Show asked={asked}>
        {({ data }) =>
          data.length === 0
            ? <p>{words.noSeals}</p>
            : (
              <div class="scroll" tabIndex={0} role="region" aria-label={words.seals}>
                <table>
                  <thead>
                    <tr>
                      {words.sealColumns.map((label, index) => (
                        <th key={label} scope="col" class={index === 1 ? "number" : undefined}>
                          {label}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {data.map(({ service, number, last_id, sealed_at, sha256 }) => (
                      <tr key={service}>
                        <th scope="row">{service}</th>
                        <td class="number">{number}</td>
                        <td>{words.upTo(last_id)}</td>
                        <td>
                          <When at={sealed_at} />
                        </td>
                        <td>
                          <code>{sha256}</code>
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
      </Show>
    </section>
  );
}
