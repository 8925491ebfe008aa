import { join } from "node:path";
import { packedFromLibrary } from "../../services/node/algorithms/library.ts";
import { DEFAULT_READ } from "../../services/node/data/options.ts";
import { createTables } from "../../services/node/data/tables.ts";
import { createExits } from "../../services/node/disclosure/exits.ts";
import { PROFILES } from "../../services/node/disclosure/rules.ts";
import { codeOf } from "../../services/node/run/code.ts";
import { simulate, type Site } from "../../services/node/workshop/simulate.ts";
import { sha256Hex } from "../../shared/service/digest.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { withSandbox } from "../support/sandboxed.ts";
import type { BenchContext } from "./context.ts";
import { ANALYSES, table } from "./library.ts";
import { percentile, report } from "./measure.ts";

const SITES = 4;
const TIMES = 5;
const MEASURED = ["summary", "crosstab", "histogram", "linear", "logistic", "kaplan-meier"];

/**
 * What the rules on what may leave cost: analyses of the library on a million rows at four sites,
 * with the rules of `datashield` and without any, in turns. With rules the algorithms coarsen what
 * would be withheld, and each result is read, checked and written anew.
 */
export async function benchDisclosure({ quick }: BenchContext): Promise<void> {
  const rows = quick ? 100_000 : 1_000_000;
  await withSandbox(async ({ sandbox, folder }) => {
    const tables = createTables({ folder: `${folder}/tables`, namesMayLeave: true });
    const sites: Site[] = [];
    for (let i = 0; i < SITES; i++) {
      const path = `${folder}/${i}.csv`;
      await Deno.writeTextFile(path, table(rows / SITES, i));
      const columns = await tables.read({ type: "csv", path, options: DEFAULT_READ }, {
        steps: [],
      });
      sites.push({
        name: `site ${i + 1}`,
        databases: [{ label: "default", type: "columns", path: columns }],
      });
    }
    const real = createExits({
      disclosure: {
        rules: { profile: "datashield", persons: null, ...PROFILES.datashield },
        trusted: [],
        unlisted: { sandbox: "guard", containers: "hold" },
        ledger: false,
      },
      shareLogs: false,
      describe: () => Promise.resolve(undefined),
    });
    /** Milliseconds that exits took, as long as results are looked at and written. */
    let atExit = 0;
    async function timed<Result>(work: Promise<Result>): Promise<Result> {
      const began = performance.now();
      return await work.finally(() => atExit += performance.now() - began);
    }
    const exits: Pick<typeof real, "ofSandbox"> = {
      async ofSandbox(...asked) {
        const exit = await timed(real.ofSandbox(...asked));
        return { ...exit, decide: (result) => timed(exit.decide(result)) };
      },
    };
    for (const name of MEASURED) {
      const { algorithm: title, kwargs } = ANALYSES[name]!;
      const code = (await packedFromLibrary(`${title}@1.0.0`, folder))!;
      const path = join(folder, `${title}.js`);
      await Deno.writeFile(path, code);
      const algorithm = {
        name: `${title}@1.0.0.js`,
        path,
        image: `deno:${title}@1.0.0`,
        code: codeOf(await sha256Hex(code)),
        fromLibrary: true as const,
      };
      const once = async (ruled: boolean): Promise<number> => {
        const began = performance.now();
        const { runs: [run] } = await simulate({ method: "central", args: [], kwargs }, {
          sandbox,
          algorithm,
          sites,
          policy: {},
          ...(ruled ? { exits } : {}),
          limits: { timeoutSeconds: 600, memoryMiB: 2048, outputMiB: 64 },
          log: silentLogger,
          signal: new AbortController().signal,
        });
        if (run.status !== "completed") throw new Error(`${name}: ${run.reason ?? run.status}`);
        return performance.now() - began;
      };
      await once(false);
      atExit = 0;
      const [without, ruled]: [number[], number[]] = [[], []];
      for (let turn = 0; turn < TIMES; turn++) {
        without.push(await once(false));
        ruled.push(await once(true));
      }
      const [before, after] = [percentile(without, 0.5), percentile(ruled, 0.5)];
      report(`${name}, ${rows.toLocaleString("en")} rows`, {
        "without rules p50 ms": before,
        "with rules p50 ms": after,
        "% more": 100 * (after / before - 1),
        "all exits of a run ms": atExit / TIMES,
      });
    }
  }, { maxRuns: SITES });
}
