/**
 * `deno task faults`: is work lost, done twice or left lying when everything is killed in turn?
 * @module
 */
import { parseArgs } from "node:util";
import { messageOf } from "../../shared/errors.ts";
import { type FaultSummary, runFaults } from "./faults.ts";

const HELP = `deno task faults [--seed N] [--runs N] [--faults N] [--nodes N] [--pause SECONDS]

Starts a whole Sextant with several nodes in a temporary folder and posts runs, while each service, nats-server,
PostgreSQL and the nodes are killed with -9, stopped and cut off. Then it checks: every acknowledged task is there,
every result ended exactly once, no attempt ran twice, nothing is open 60 s after the last fault.

  --seed N          decides which faults, in which order, and the runs' lengths (default 1)
  --runs N          runs to post (default 10000)
  --faults N        faults, spread evenly over the runs (default: one for 100 runs, at least 20)
  --nodes N         data stations (default 3)
  --pause SECONDS   how long a stopped process stays stopped (default 30)
  --help            this text

The same seed and numbers give the same faults after the same runs. The exit code is 0 when nothing was wrong.`;

function positive(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new TypeError(`--${name} must be a number`);
  return value;
}

function table({ wrong, faults, statuses, attempts, ...plain }: FaultSummary): string {
  const counts = (record: Record<string, number>) =>
    Object.entries(record).map(([word, count]) => `${count} × ${word}`).join(", ");
  const rows: [string, string][] = [
    ["seed", String(plain.seed)],
    ["runs", String(plain.runs)],
    ["faults", counts(faults)],
    ["ended as", counts(statuses)],
    ["in attempt", counts(attempts)],
    ["settled after the last fault", `${plain.settledAfter} s`],
    ["whole time", `${plain.seconds} s`],
    ["wrong", String(wrong.length)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(30)}${value}`).join("\n");
}

async function main(): Promise<number> {
  try {
    const text = { type: "string" } as const;
    const { values } = parseArgs({
      args: Deno.args,
      options: {
        seed: text,
        runs: text,
        faults: text,
        nodes: text,
        pause: text,
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const runs = positive(values.runs ?? "10000", "runs");
    const summary = await runFaults({
      runs,
      seed: positive(values.seed ?? "1", "seed"),
      faults: positive(values.faults ?? String(Math.max(20, Math.floor(runs / 100))), "faults"),
      nodes: positive(values.nodes ?? "3", "nodes"),
      pauseMs: positive(values.pause ?? "30", "pause") * 1000,
      say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
    });
    for (const line of summary.wrong.slice(0, 50)) console.error(`WRONG: ${line}`);
    console.log(table(summary));
    return summary.wrong.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(messageOf(error));
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main());
