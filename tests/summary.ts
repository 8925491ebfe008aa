/**
 * What `deno test` says at its end, as numbers.
 * @module
 */

export interface Summary {
  passed: number;
  failed: number;
  ignored: number;
}

const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?: \| (\d+) ignored)?/;

// deno-lint-ignore no-control-regex
const COLOURS = /\x1b\[[0-9;]*m/g;

/** Reads one line of the runner's output; `undefined` unless it is the summary. */
export function readSummary(line: string): Summary | undefined {
  const match = SUMMARY.exec(line.replaceAll(COLOURS, ""));
  if (!match) return undefined;
  const [passed, failed, ignored] = match.slice(1).map((count) => Number(count ?? 0));
  return { passed: passed!, failed: failed!, ignored: ignored! };
}

/**
 * What a failed run said was wrong, at most `most` lines of it: the runner's list of errors, or, of
 * a run that ended without one, the last that it said.
 */
export function readErrors(output: string, most: number): string[] {
  const lines = output.replaceAll(COLOURS, "").trimEnd().split("\n");
  const begin = lines.lastIndexOf(" ERRORS ");
  const end = lines.lastIndexOf(" FAILURES ");
  if (begin < 0 || end < begin) return lines.slice(-most);
  const errors = lines.slice(begin + 1, end).join("\n").trim().split("\n");
  return errors.length > most ? [...errors.slice(0, most - 1), "…"] : errors;
}

/**
 * Adds the summaries of several runs. A run that ended badly without a failed test (its modules did
 * not load, or it was killed) counts as one failure, so that the total never looks better than it
 * was.
 */
export function total(runs: { summary: Summary | undefined; success: boolean }[]): Summary {
  const sum = { passed: 0, failed: 0, ignored: 0 };
  for (const { summary, success } of runs) {
    sum.passed += summary?.passed ?? 0;
    sum.ignored += summary?.ignored ?? 0;
    sum.failed += success ? 0 : Math.max(1, summary?.failed ?? 0);
  }
  return sum;
}
