/**
 * `deno task faults`: is work lost, done twice or left lying when everything is killed in turn?
 * @module
 */
import { readArgs, UsageError, wholeNumber } from "../../shared/command_line/read_args.ts";
import { messageOf } from "../../shared/service/errors.ts";
import { type FaultSummary, runFaults } from "./faults.ts";

const HELP =
  `deno task faults [--seed N] [--runs N] [--faults N] [--nodes N] [--pause SECONDS] [--cluster]

Starts a whole Sextant with several nodes in a temporary folder and posts runs, while each service, nats-server,
PostgreSQL and the nodes are killed with -9, stopped and cut off. Then it checks: every acknowledged task is there,
every result ended exactly once, no attempt ran twice, nothing is open 60 s after the last fault.

  --seed N          decides which faults, in which order, and the runs' lengths (default 1)
  --runs N          runs to post (default 10000)
  --faults N        faults, spread evenly over the runs (default: one for 100 runs, at least 20)
  --nodes N         data stations (default 3)
  --pause SECONDS   how long a stopped process stays stopped (default 30)
  --cluster         a cluster (deno task up --cluster): one of three brokers, the primary and its standby, one of two
                    of each service and gateway, and nodes; brokers are cut off from all others, too, and database
                    servers from all but their clients, which takes root and iptables; tells how long nobody was
                    answered after each kind of fault
  --help            this text

The same seed and numbers give the same faults after the same runs. The exit code is 0 when nothing was wrong.`;

function table({ wrong, faults, statuses, attempts, silences, ...plain }: FaultSummary): string {
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
    ...Object.entries(silences ?? {}).sort().map((
      [fault, { reads, changes }],
    ): [string, string] => [
      `without answer: ${fault}`,
      `${reads.toFixed(1)} s to reads, ${changes.toFixed(1)} s to changes`,
    ]),
    ["wrong", String(wrong.length)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(40)}${value}`).join("\n");
}

async function main(): Promise<number> {
  try {
    const text = { type: "string" } as const;
    const { values } = readArgs({
      args: Deno.args,
      options: {
        seed: text,
        runs: text,
        faults: text,
        nodes: text,
        pause: text,
        cluster: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    const runs = wholeNumber("runs", values.runs ?? "10000", 1);
    const summary = await runFaults({
      runs,
      seed: wholeNumber("seed", values.seed ?? "1"),
      faults: wholeNumber("faults", values.faults ?? String(Math.max(20, Math.floor(runs / 100)))),
      nodes: wholeNumber("nodes", values.nodes ?? "3", 1, 100),
      pauseMs: wholeNumber("pause", values.pause ?? "30", 0, 3600) * 1000,
      cluster: values.cluster === true,
      say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
    });
    for (const line of summary.wrong.slice(0, 50)) console.error(`WRONG: ${line}`);
    console.log(table(summary));
    return summary.wrong.length === 0 ? 0 : 1;
  } catch (error) {
    const usage = error instanceof UsageError;
    console.error(messageOf(error) + (usage ? "\nSee: deno task faults --help" : ""));
    return usage ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await main());
