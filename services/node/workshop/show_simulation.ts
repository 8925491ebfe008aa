/**
 * What `deno task algorithm try` prints.
 * @module
 */
import type { Difference } from "./compare.ts";
import type { Simulation } from "./simulate.ts";

/** Letters of a message that are shown; `--json` has all. */
const SHOWN = 160;
const DIFFERENCES_SHOWN = 10;

export function showSimulation(
  { runs, result, rounds, messages }: Simulation,
  seconds: readonly number[],
): string {
  const [own] = runs;
  const parts = [
    `${own.method} at ${own.site}: ${own.status} in ${seconds.map(time).join(", ")}` +
    (own.reason ? `\n${own.reason}` : ""),
  ];
  if (own.status === "completed") parts.push(`Result\n${indent(JSON.stringify(result, null, 2))}`);
  if (rounds.length > 0) {
    parts.push(
      "Rounds\n" +
        rounds.map(({ name, method, sites, seconds }, index) =>
          `  ${index + 1}  ${time(seconds)}  ${method} at ${sites.join(", ")}  (${name})`
        ).join("\n"),
    );
  }
  const failed = runs.slice(1).filter(({ status }) => status !== "completed");
  if (failed.length > 0) {
    parts.push(
      "Not completed\n" +
        failed.map(({ site, method, status, reason }) =>
          indent(`${method} at ${site}: ${status}\n${reason ?? ""}`.trim())
        ).join("\n"),
    );
  }
  const printed = runs.filter(({ log }) => log !== "");
  if (printed.length > 0) {
    parts.push(
      "Logs\n" +
        printed.map(({ site, method, log }) =>
          `  ${method} at ${site}\n${indent(log.trimEnd(), 4)}`
        ).join("\n"),
    );
  }
  parts.push(
    "What left each site\n" + (messages.map(({ from, to, what, method, bytes, content }) => {
      const text = JSON.stringify(content);
      const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)} …` : text;
      const about = what === "result" ? `result of ${method}` : `call of ${method}`;
      return `  ${from} → ${to ?? "researcher"}  ${about}, ${bytes} bytes\n    ${shown}`;
    }).join("\n") || "  nothing"),
  );
  return parts.join("\n\n");
}

export function showComparison(pooled: Simulation, differences: readonly Difference[]): string {
  const [own] = pooled.runs;
  if (own.status !== "completed") {
    return `\nOn all rows at one site: ${own.status}\n${indent(own.reason ?? "")}`;
  }
  if (differences.length === 0) return "\nOn all rows at one site: the same, to the last digit.";
  const lines = differences.slice(0, DIFFERENCES_SHOWN).map(({ at, one, other, relative }) => {
    const size = relative === undefined ? "different" : `relative ${relative.toExponential(1)}`;
    return `  ${at || "the result"}: ${JSON.stringify(one)}, pooled ${
      JSON.stringify(other)
    } (${size})`;
  });
  const more = differences.length - lines.length;
  return `\nOn all rows at one site: ${differences.length} values differ, the most different first\n` +
    lines.join("\n") + (more > 0 ? `\n  and ${more} more` : "");
}

function time(seconds: number): string {
  return `${seconds.toFixed(seconds < 10 ? 2 : 0)} s`;
}

function indent(text: string, by = 2): string {
  return text.split("\n").map((line) => " ".repeat(by) + line).join("\n");
}
