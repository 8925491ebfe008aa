/**
 * What several screens of the owner's page are made of.
 * @module
 */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Plain } from "../../../page/parts/plain.tsx";
import { type Asked, useAsked } from "../../../page/parts/loading.tsx";
import { Sign, type Tone } from "../../../page/parts/status.tsx";
import { texts } from "./texts.ts";

const words = texts.run;
const EVERY_MS = 3000;

/** Asks, and asks again while somebody looks. */
export function useFresh<Value>(
  ask: (signal: AbortSignal) => Promise<Value>,
  inputs: readonly unknown[] = [],
): Asked<Value> {
  const asked = useAsked(ask, inputs);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) asked.again();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return asked;
}

export function Mark({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`status ${tone}`}>
      <Sign tone={tone} />
      <span>{children}</span>
    </span>
  );
}

/** A table that scrolls in its own frame where it is too wide. */
export function WideTable(
  { caption, columns, children }: {
    caption: string;
    /** The heads; one of numbers begins with a `#`. */
    columns: readonly string[];
    children: ComponentChildren;
  },
) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column}
                scope="col"
                class={column.startsWith("#") ? "number" : undefined}
              >
                {column.replace(/^#/, "")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export interface Asker {
  user_id?: number | undefined;
  username?: string | null | undefined;
  organization_id?: number | undefined;
}

/** For whom something runs. */
export function AskedBy({ user_id, username, organization_id }: Asker) {
  if (user_id === undefined) return <>{words.unknown}</>;
  return (
    <>
      {username ? <Plain text={username} /> : words.user(user_id)}
      {organization_id !== undefined && (
        <span class="quiet">{words.organization(organization_id)}</span>
      )}
    </>
  );
}

/** Which one it is. */
export function RunName(
  { result_id, attempt, task_id }: { result_id: number; attempt: number; task_id: number },
) {
  return (
    <span class="run-name">
      {result_id}
      <span class="quiet">
        {words.task(task_id)}
        {attempt > 1 && `, ${words.attempt(attempt)}`}
      </span>
    </span>
  );
}

/** The beginning of a digest; all of it when one asks for it. */
export function Digest({ text }: { text: string }) {
  return <code class="digest" title={text}>{text.replace(/^sha256:/, "").slice(0, 12)}…</code>;
}

const NUMBER = new Intl.NumberFormat();
const ONE_DIGIT = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** `812 bytes`, `1.5 MiB`. */
export function sizeText(bytes: number): string {
  if (bytes < 10_000) return `${NUMBER.format(bytes)} bytes`;
  const [unit, size] = bytes < 2 ** 20
    ? ["KiB", 2 ** 10]
    : bytes < 2 ** 30
    ? ["MiB", 2 ** 20]
    : ["GiB", 2 ** 30];
  return `${ONE_DIGIT.format(bytes / Number(size))} ${unit}`;
}
