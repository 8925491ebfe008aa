import type { ComponentChildren } from "preact";
import { to } from "../routes.ts";
import { Plain } from "../parts/plain.tsx";
import { administration } from "../texts/administration.ts";

/** What is known of something; with {@linkcode Fact}. */
export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="facts card">{children}</dl>;
}

/** A word and a value. */
export function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** A text of others, or the sign for none. */
export function Text({ text }: { text: string | null }) {
  return text ? <Plain text={text} /> : <>{administration.record.none}</>;
}

/** The way to a record, by its name. */
export function RecordLink({ path, id, name }: { path: string; id: number; name: string }) {
  return (
    <a href={to("administration", path, id)}>
      <Plain text={name} />
    </a>
  );
}

/** The way to the part of another list that belongs to a record. */
export function ListLink({ path, query, label }: {
  path: string;
  query: Record<string, number>;
  label: string;
}) {
  const search = new URLSearchParams(
    Object.entries(query).map(([name, value]) => [name, String(value)]),
  );
  return <a href={`${to("administration", path)}?${search}`}>{label}</a>;
}
