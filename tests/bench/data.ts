import { setTimeout } from "node:timers/promises";
import { temporaryFolder } from "../harness.ts";
import { withSandbox } from "../support/sandboxed.ts";
import type { BenchContext } from "./context.ts";
import { percentile, report } from "./measure.ts";

const COLUMNS = 8;
const TIMES = 7;
const IDLE_MS = 500;
const ALGORITHM = `
  export const nothing = () => 0;
  export function mean(context, column) {
    const values = context.table().floats(column);
    let sum = 0;
    for (const value of values) if (!Number.isNaN(value)) sum += value;
    return sum / values.length;
  }`;

/**
 * A run on a table of a million rows: what reading it costs the first time, and from then on what a
 * run on it takes longer than one without data.
 */
export async function benchData({ quick }: BenchContext): Promise<void> {
  const rows = quick ? 100_000 : 1_000_000;
  const folder = await temporaryFolder();
  try {
    const path = `${folder.path}/table.csv`;
    await writeTable(path, rows);
    await withSandbox(async ({ run }) => {
      async function timed(method: string): Promise<number> {
        const databases = [{ label: "d", type: "csv" as const, path }];
        // As on an idle node: the next runner has been started.
        await setTimeout(IDLE_MS);
        const began = performance.now();
        const { reason } = await run(ALGORITHM, {
          method,
          args: ["c3"],
          databases: method === "nothing" ? [] : databases,
        });
        if (reason !== null) throw new Error(reason);
        return performance.now() - began;
      }
      await timed("nothing");
      const first = await timed("mean");
      const again: number[] = [];
      const without: number[] = [];
      for (let round = 0; round < TIMES; round++) {
        again.push(await timed("mean"));
        without.push(await timed("nothing"));
      }
      report(`${rows.toLocaleString("en")} rows × ${COLUMNS} columns`, {
        "first run ms": first,
        "again p50 ms": percentile(again, 0.5),
        "without data p50 ms": percentile(without, 0.5),
        "more ms": percentile(again, 0.5) - percentile(without, 0.5),
      });
    });
  } finally {
    await folder.remove();
  }
}

async function writeTable(path: string, rows: number): Promise<void> {
  const names = Array.from({ length: COLUMNS }, (_, column) => `c${column}`);
  using file = await Deno.open(path, { write: true, create: true });
  const writer = file.writable.getWriter();
  const encoder = new TextEncoder();
  await writer.write(encoder.encode(`${names.join(",")}\n`));
  for (let row = 0; row < rows;) {
    let lines = "";
    for (const end = Math.min(rows, row + 10_000); row < end; row++) {
      lines += `${names.map((_, column) => column < 6 ? row / (column + 1) : `w${row % 50}`)}\n`;
    }
    await writer.write(encoder.encode(lines));
  }
  await writer.close();
}
