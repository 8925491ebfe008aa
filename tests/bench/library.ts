import { fileURLToPath } from "node:url";
import { packedFromLibrary } from "../../services/node/algorithms/library.ts";
import { DEFAULT_READ } from "../../services/node/data/options.ts";
import { createTables } from "../../services/node/data/tables.ts";
import { simulate, type Site } from "../../services/node/workshop/simulate.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { withSandbox } from "../support/sandboxed.ts";
import type { BenchContext } from "./context.ts";
import { report } from "./measure.ts";

const SITES = 4;
const TIMES = 3;
const PYTHON = Deno.env.get("SEXTANT_BENCH_PYTHON") ?? "python3";
const SCRIPT = fileURLToPath(new URL("./library.py", import.meta.url));

const model = { predictors: ["x1", "x2", "x3", "g"] };
const survival = { time: "t", event: "e" };
/** Analyses by the name that library.py knows them by, too. */
export const ANALYSES: Record<string, { algorithm: string; kwargs: Record<string, unknown> }> = {
  summary: { algorithm: "summary", kwargs: { columns: ["x1", "x2", "x3", "g"], group: "h" } },
  crosstab: { algorithm: "crosstab", kwargs: { row: "g", column: "h" } },
  anova: { algorithm: "compare_means", kwargs: { column: "y", group: "g" } },
  correlation: { algorithm: "correlation", kwargs: { columns: ["x1", "x2", "x3"] } },
  quantiles: { algorithm: "quantiles", kwargs: { column: "x1" } },
  histogram: { algorithm: "histogram", kwargs: { column: "x1", from: -4, to: 4, bins: 50 } },
  linear: { algorithm: "glm", kwargs: { outcome: "y", ...model } },
  logistic: { algorithm: "glm", kwargs: { outcome: "b", family: "binomial", ...model } },
  poisson: { algorithm: "glm", kwargs: { outcome: "c", family: "poisson", ...model } },
  "kaplan-meier": { algorithm: "kaplan_meier", kwargs: { ...survival, group: "h" } },
  cox: { algorithm: "cox", kwargs: { ...survival, ...model } },
  "cox, pooled baseline": {
    algorithm: "cox",
    kwargs: { ...survival, ...model, baseline: "pooled" },
  },
};

/** One round to all organizations, in which nothing is done. */
const FLOOR = new TextEncoder().encode(`
  export async function central(context) {
    const organizations = (await context.organizations()).map(({ id }) => id);
    const { id } = await context.createTask({ organizations, input: { method: "nothing" } });
    return (await context.results(id)).length;
  }
  export const nothing = () => 0;`);

/**
 * Each analysis of the library on a million rows at four sites, in the sandbox, beside the same in
 * Python on the pooled rows in its memory. Ours has the starts of all runs in it and what goes
 * between them, and no network.
 */
export async function benchLibrary({ quick }: BenchContext): Promise<void> {
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
      const databases = [{ label: "default", type: "columns" as const, path: columns }];
      sites.push({ name: `site ${i + 1}`, databases });
    }
    report("floor: a round that does nothing", { "ours ms": await timed(FLOOR, {}) });
    const files = sites.map((_, i) => `${folder}/${i}.csv`);
    const theirs = await inPython([String(TIMES), ...files]);
    for (const [name, { algorithm, kwargs }] of Object.entries(ANALYSES)) {
      const best = await timed((await packedFromLibrary(`${algorithm}@1.0.0`, folder))!, kwargs);
      const other = theirs?.[name];
      report(`${name}, ${rows.toLocaleString("en")} rows`, {
        "ours ms": best,
        ...(other ? { "Python ms": other.ms, "×": best / other.ms, by: other.by } : {}),
      });
    }

    /** The best of some times, in milliseconds. */
    async function timed(code: Uint8Array, kwargs: Record<string, unknown>): Promise<number> {
      const path = `${folder}/algorithm.js`;
      await Deno.writeFile(path, code);
      let best = Infinity;
      for (let turn = 0; turn < TIMES; turn++) {
        const began = performance.now();
        const { runs: [run] } = await simulate({ method: "central", args: [], kwargs }, {
          sandbox,
          algorithm: { name: "algorithm.js", path, image: "deno:algorithm@1.0.0" },
          sites,
          policy: {},
          limits: { timeoutSeconds: 600, memoryMiB: 2048, outputMiB: 64 },
          log: silentLogger,
          signal: new AbortController().signal,
        });
        if (run.status !== "completed") throw new Error(run.reason ?? run.status);
        best = Math.min(best, performance.now() - began);
      }
      return best;
    }
  }, { maxRuns: SITES });
}

/** Numbers that are the same each time, and depend on each other as outcomes do. */
export function table(rows: number, site: number): string {
  let state = 12345 + site;
  const uniform = () => {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const lines = ["x1,x2,x3,g,h,y,b,c,t,e"];
  for (let row = 0; row < rows; row++) {
    const [x1, x2, x3] = [normal(), normal(), uniform()];
    const g = Math.floor(4 * uniform());
    const eta = 0.3 * x1 - 0.2 * x2 + 0.5 * x3 + 0.1 * g - 0.4;
    const t = 1 + Math.floor(-200 * Math.log(uniform()) / Math.exp(eta));
    lines.push([
      x1.toFixed(6),
      x2.toFixed(6),
      x3.toFixed(6),
      "abcd"[g],
      uniform() < 0.5 ? "u" : "v",
      (eta + normal()).toFixed(6),
      uniform() < 1 / (1 + Math.exp(-eta)) ? 1 : 0,
      Math.floor(Math.exp(eta) + 1.5 * uniform()),
      Math.min(t, 700),
      t <= 700 && uniform() < 0.8 ? 1 : 0,
    ].join(","));
  }
  return lines.join("\n") + "\n";
}

type Theirs = Record<string, { ms: number; by: string }>;

/** Undefined where there is no Python with these packages. */
async function inPython(args: string[]): Promise<Theirs | undefined> {
  const { success, stdout, stderr } = await new Deno.Command(PYTHON, { args: [SCRIPT, ...args] })
    .output().catch((error) => ({
      success: false,
      stdout: new Uint8Array(),
      stderr: new TextEncoder().encode(String(error)),
    }));
  const text = new TextDecoder();
  if (success) return JSON.parse(text.decode(stdout));
  const why = text.decode(stderr).trim().split("\n").at(-1);
  console.log(
    `Ours alone: ${PYTHON} cannot run the same (${why}). SEXTANT_BENCH_PYTHON names one that has ` +
      "tests/algorithms/reference/requirements.txt.",
  );
}
