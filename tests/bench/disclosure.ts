import { join } from "node:path";
import process from "node:process";
import { packedFromLibrary } from "../../services/node/algorithms/library.ts";
import type { SandboxDatabase } from "../../services/node/data/databases.ts";
import { DEFAULT_READ } from "../../services/node/data/options.ts";
import { createTables } from "../../services/node/data/tables.ts";
import { createExits } from "../../services/node/disclosure/exits.ts";
import {
  type LedgerOfRuns,
  openLedgerOfRuns,
} from "../../services/node/disclosure/ledger/ledger_of_runs.ts";
import { PROFILES } from "../../services/node/disclosure/rules.ts";
import { codeOf } from "../../services/node/run/code.ts";
import { type ExitsOfSites, simulate, type Site } from "../../services/node/workshop/simulate.ts";
import type { Dispatch } from "../../shared/node_protocol/dispatch.ts";
import { sha256Hex } from "../../shared/service/digest.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { withSandbox } from "../support/sandboxed.ts";
import type { BenchContext } from "./context.ts";
import { ANALYSES, table } from "./library.ts";
import { percentile, report } from "./measure.ts";

const SITES = 4;
const TIMES = 7;
const MEASURED = ["summary", "crosstab", "histogram", "linear", "logistic", "kaplan-meier"];

/** The column of the table that says whose a row is: two rows are of each person. */
const PERSONS = "p";

/** Sites with rules, and how long their exits have taken so far, in milliseconds. */
interface Ruled {
  exits: ExitsOfSites;
  atExit: number;
}

/**
 * What the rules on what may leave cost: analyses of the library on a million rows at four sites,
 * with the rules of `datashield` and the site's ledger, and without any, in turns; where each row
 * is a person, and where a column says so. With rules the algorithms coarsen what would be
 * withheld, and each result is read, checked, held against the ledger and written anew.
 */
export async function benchDisclosure({ quick }: BenchContext): Promise<void> {
  const rows = quick ? 100_000 : 1_000_000;
  await withSandbox(async ({ sandbox, folder }) => {
    const sites = await makeSites(folder, rows);
    const byRows = await ruledSites(`${folder}/by-rows`, sites, null);
    const byPersons = await ruledSites(`${folder}/by-persons`, sites, PERSONS);
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
      const once = (ruled?: Ruled) =>
        measured(async () => {
          const { runs: [run] } = await simulate({ method: "central", args: [], kwargs }, {
            sandbox,
            algorithm,
            sites,
            policy: {},
            ...(ruled ? { exits: ruled.exits } : {}),
            limits: { timeoutSeconds: 600, memoryMiB: 2048, outputMiB: 64 },
            log: silentLogger,
            signal: new AbortController().signal,
          });
          if (run.status !== "completed") throw new Error(`${name}: ${run.reason ?? run.status}`);
        });
      await once();
      const kinds = [undefined, byRows, byPersons];
      // The first of its kind: the ledger numbers the persons, and writes what it has not seen yet.
      const first = [(await once(byRows)).ms, (await once(byPersons)).ms];
      byRows.atExit = byPersons.atExit = 0;
      const taken = kinds.map(() => [] as Measured[]);
      for (let turn = 0; turn < TIMES; turn++) {
        for (const [i, kind] of kinds.entries()) taken[i]!.push(await once(kind));
      }
      const [none, ...ruled] = taken.map((all) => ({
        ms: percentile(all.map(({ ms }) => ms), 0.5),
        cpu: percentile(all.map(({ cpu }) => cpu), 0.5),
      }));
      for (const [i, { ms, cpu }] of ruled.entries()) {
        const what = i === 0 ? "each row a person" : "a column of persons";
        report(`${name}, ${rows.toLocaleString("en")} rows, ${what}`, {
          "without rules p50 ms": none!.ms,
          "with rules p50 ms": ms,
          "% more": 100 * (ms / none!.ms - 1),
          "% more CPU": 100 * (cpu / none!.cpu - 1),
          "first ms": first[i]!,
          "all exits of a run ms": [byRows, byPersons][i]!.atExit / TIMES,
        });
      }
    }
  }, { maxRuns: SITES });
}

interface Measured {
  ms: number;
  /** Of this process and all that it has started and waited for. */
  cpu: number;
}

async function measured(work: () => Promise<void>): Promise<Measured> {
  const [began, used] = [performance.now(), cpuMs()];
  await work();
  return { ms: performance.now() - began, cpu: cpuMs() - used };
}

/** Hundredths of a second, in which Linux counts what children have used. */
const TICK_MS = 10;

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  const stat = Deno.readTextFileSync("/proc/self/stat");
  // Behind the program's name, which may have spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (user + system) / 1000 + TICK_MS * (Number(fields[13]) + Number(fields[14]));
}

async function makeSites(folder: string, rows: number): Promise<Site[]> {
  const tables = createTables({ folder: `${folder}/tables`, namesMayLeave: true });
  const sites: Site[] = [];
  for (let i = 0; i < SITES; i++) {
    const path = `${folder}/${i}.csv`;
    await Deno.writeTextFile(path, withPersons(table(rows / SITES, i)));
    const columns = await tables.read({ type: "csv", path, options: DEFAULT_READ }, { steps: [] });
    sites.push({
      name: `site ${i + 1}`,
      databases: [{ label: "default", type: "columns", path: columns }],
    });
  }
  return sites;
}

/** The same table with a column that says whose each row is; those of one person lie apart. */
function withPersons(csv: string): string {
  const [head, ...lines] = csv.trimEnd().split("\n");
  const personOf = (row: number) => Math.floor(row * 7919 % lines.length / 2);
  const rows = lines.map((line, row) => `${line},id-${String(personOf(row)).padStart(7, "0")}`);
  return [`${head},${PERSONS}`, ...rows, ""].join("\n");
}

/** The exits of all sites, each with a ledger of its own. */
async function ruledSites(folder: string, sites: Site[], persons: string | null): Promise<Ruled> {
  const rules = { profile: "datashield" as const, persons, ...PROFILES.datashield };
  const exits = createExits({
    disclosure: {
      rules,
      trusted: [],
      unlisted: { sandbox: "guard", containers: "hold" },
      ledger: true,
    },
    shareLogs: false,
    describe: () => Promise.resolve(undefined),
  });
  const ledgers = new Map<Site, LedgerOfRuns>();
  for (const [i, site] of sites.entries()) {
    const audit = { record: () => Promise.resolve() };
    const dataFolder = `${folder}/${i}`;
    ledgers.set(site, await openLedgerOfRuns({ dataFolder, audit, log: silentLogger, rules }));
  }
  let runs = 0;
  const ruled: Ruled = {
    atExit: 0,
    exits: {
      async ofSandbox(algorithm, asked, site) {
        let exit = await timed(exits.ofSandbox(algorithm, asked));
        if (exit.access === "rows") {
          exit = ledgers.get(site)!.exitOf(exit, dispatchOf(asked.image, ++runs), [readFrom(site)]);
        }
        return { ...exit, decide: (result) => timed(exit.decide(result)) };
      },
    },
  };
  return ruled;

  async function timed<Result>(work: Promise<Result>): Promise<Result> {
    const began = performance.now();
    return await work.finally(() => ruled.atExit += performance.now() - began);
  }
}

function dispatchOf(image: string, result_id: number): Dispatch {
  return {
    v: 1,
    result_id,
    attempt: 1,
    task_id: 1,
    run_id: 1,
    parent_id: null,
    collaboration_id: 1,
    organization_id: 1,
    init_org_id: 1,
    init_user_id: 1,
    image,
    databases: [],
    input_sha256: "",
    issued_at: new Date(0).toISOString(),
  };
}

function readFrom({ databases: [columns] }: Site) {
  const database = { label: "default", type: "csv" as const, path: columns!.path, reach: [] };
  return {
    wanted: { database, wanted: {} },
    columns: columns! satisfies SandboxDatabase,
  };
}
