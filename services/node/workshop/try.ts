import { basename, extname, join } from "node:path";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import {
  readArgs,
  typedPath,
  UsageError,
  wholeNumber,
} from "../../../shared/command_line/read_args.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { disclosureOf, disclosureSection } from "../config/disclosure.ts";
import { policiesSection, policyOf } from "../config/policies.ts";
import { DataError } from "../data/error.ts";
import { DEFAULT_READ } from "../data/options.ts";
import { createTables, type Source, type Tables } from "../data/tables.ts";
import { createExits } from "../disclosure/exits.ts";
import { PROFILES, type SiteDisclosure } from "../disclosure/rules.ts";
import type { Policy } from "../policy/policy.ts";
import { type Call, namedArguments } from "../run/call.ts";
import { compare } from "./compare.ts";
import { originalLines } from "./original_lines.ts";
import { pack } from "./pack.ts";
import {
  entryOfTarget,
  imageOf,
  isOfLibrary,
  nameOf,
  onlyTarget,
  TARGET_HELP,
} from "./pack_command.ts";
import { poolColumns } from "./pool_columns.ts";
import { showComparison, showSimulation } from "./show_simulation.ts";
import { readDescription } from "./read_description.ts";
import { simulate, type Simulation, type Site } from "./simulate.ts";
import { LIMITS, withWorkbench } from "./workbench.ts";

const PROFILE_NAMES = Object.keys(PROFILES);

export const TRY_HELP =
  `Runs an algorithm in the real sandbox, with files as the sites; no hub is needed.

Usage: deno task algorithm try TARGET --data FILE [--data FILE …] [options]

  TARGET            ${TARGET_HELP}
  --data FILE       a site's database: csv, parquet, xlsx, or sqlite with a query in --query; as many sites
                    as files, and the first one executes the task's own run
  --query SQL       for sqlite
  --method NAME     default: central
  --kwargs JSON     named arguments; --args JSON for a list of those without names
  --policy FILE     a node.yaml whose policies hold at every site; tasks name the algorithm
                    deno:<name>@<version>, after its file or as in the library, or deno:<folder>@0.0.0
  --disclosure P    a profile of rules on what may leave (${PROFILE_NAMES.join(", ")}), with
                    each row a person: an algorithm that is none of the library then gets aggregates and no
                    rows; or a node.yaml whose rules hold at every site
  --pooled          run it also on all rows at one site, and compare
  --repeat N        run it N times; the times are printed
  --timeout S       seconds for one run; default ${LIMITS.timeoutSeconds}
  --json            one JSON object instead of text

Prints the result, the rounds, the log of each run, and what left each site, message by message.`;

const TYPES: Record<string, Source["type"]> = {
  ".csv": "csv",
  ".tsv": "csv",
  ".txt": "csv",
  ".parquet": "parquet",
  ".xlsx": "excel",
  ".sqlite": "sqlite",
  ".sqlite3": "sqlite",
  ".db": "sqlite",
};

export async function tryCommand(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: {
      data: { type: "string", multiple: true },
      query: { type: "string" },
      method: { type: "string", default: "central" },
      kwargs: { type: "string", default: "{}" },
      args: { type: "string", default: "[]" },
      policy: { type: "string" },
      disclosure: { type: "string" },
      pooled: { type: "boolean", default: false },
      repeat: { type: "string", default: "1" },
      timeout: { type: "string", default: String(LIMITS.timeoutSeconds) },
      json: { type: "boolean", default: false },
    },
  });
  const target = onlyTarget(positionals);
  const files = (values.data ?? []).map(typedPath);
  if (files.length === 0) throw new UsageError("Give each site its file: --data FILE");
  const call: Call = {
    method: values.method,
    kwargs: readJson("kwargs", values.kwargs, namedArguments),
    args: readJson("args", values.args, z.array(z.unknown())),
  };
  const repeat = wholeNumber("repeat", values.repeat, 1, 1000);
  const limits = { ...LIMITS, timeoutSeconds: wholeNumber("timeout", values.timeout, 1) };
  const policy = values.policy ? await readPolicy(typedPath(values.policy)) : {};
  const disclosure = values.disclosure === undefined
    ? null
    : await readDisclosure(values.disclosure);
  const entry = await entryOfTarget(target);

  return await withWorkbench(async ({ sandbox, folder, log }) => {
    const { algorithm, map } = await packInto(folder, entry);
    const exits = createExits({
      disclosure,
      // The author reads what it says.
      shareLogs: true,
      describe: async () => (await readDescription(entry, { sandbox, folder, limits })).description,
    });
    const tables = createTables({ folder: join(folder, "tables"), namesMayLeave: true });
    const sites = await openSites(files, tables, values.query);

    async function once(sites: Site[]): Promise<Simulation> {
      const { signal } = stopped;
      const found = await simulate(call, {
        sandbox,
        algorithm,
        sites,
        policy,
        exits,
        limits,
        log,
        signal,
      });
      const lines = originalLines(algorithm.name, map);
      for (const run of found.runs) {
        run.log = lines(run.log);
        run.reason &&= lines(run.reason);
      }
      return found;
    }
    const stopped = new AbortController();
    const stop = () => stopped.abort(new Error("stopped"));
    Deno.addSignalListener("SIGINT", stop);
    try {
      const simulations: Simulation[] = [];
      for (let turn = 0; turn < repeat; turn++) simulations.push(await once(sites));
      const [first] = simulations;
      const seconds = simulations.map(({ runs: [own] }) => own.seconds);
      let pooled: Simulation | undefined;
      if (values.pooled) {
        const all = join(folder, "pooled.columns");
        await poolColumns(
          sites.map(({ name, databases: [database] }) => ({ name, path: database!.path })),
          all,
        );
        await Deno.chmod(all, 0o444);
        const databases = [{ label: "default", type: "columns" as const, path: all }];
        pooled = await once([{ name: "all rows", databases }]);
      }
      say(first!, { seconds, pooled, json: values.json });
      const completed = [...simulations, ...(pooled ? [pooled] : [])]
        .every(({ runs: [own] }) => own.status === "completed");
      return completed ? 0 : 1;
    } finally {
      Deno.removeSignalListener("SIGINT", stop);
    }
  }, limits);
}

/** Prints what a run gave, and how far that is from the same on all rows. */
function say(
  first: Simulation,
  { seconds, pooled, json }: { seconds: number[]; pooled: Simulation | undefined; json: boolean },
): void {
  const differences = pooled && compare(first.result, pooled.result);
  if (!json) {
    console.log(showSimulation(first, seconds));
    if (pooled) console.log(showComparison(pooled, differences!));
    return;
  }
  const compared = pooled ? { pooled: pooled.result, differences } : {};
  console.log(JSON.stringify({ ...first, seconds, ...compared }, null, 2));
}

/** Packs the algorithm into a file of the folder, as nodes know it. */
async function packInto(folder: string, entry: string) {
  const { code, map, digest } = await pack(entry);
  const path = join(folder, "algorithm.js");
  await Deno.writeFile(path, code);
  const image = await imageOf(entry);
  const known = { path, image, code: `sha256:${digest}` };
  const algorithm = await isOfLibrary(entry)
    ? { ...known, name: `${image.slice("deno:".length)}.js`, fromLibrary: true as const }
    : { ...known, name: `${nameOf(entry)}.js` };
  return { algorithm, map };
}

async function openSites(files: string[], tables: Tables, query?: string): Promise<Site[]> {
  const names = files.map((file) => basename(file));
  return await Promise.all(files.map(async (path, index): Promise<Site> => {
    const type = TYPES[extname(path).toLowerCase()];
    if (!type) {
      const known = Object.keys(TYPES).join(", ");
      throw new UsageError(`--data ${path}: its name must end in one of ${known}`);
    }
    const twice = names.indexOf(names[index]!) !== names.lastIndexOf(names[index]!);
    const name = twice ? `${names[index]} (${index + 1})` : names[index]!;
    try {
      const request = { steps: [], ...(query === undefined ? {} : { query }) };
      const columns = await tables.read({ type, path, options: DEFAULT_READ }, request);
      return { name, databases: [{ label: "default", type: "columns", path: columns }] };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      throw new Error(`${path} cannot be used. ${error.message}`);
    }
  }));
}

function readJson<Value>(option: string, text: string, schema: z.ZodType<Value>): Value {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--${option} is not JSON: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UsageError(`--${option}: ${z.prettifyError(parsed.error)}`);
}

/** The rules of a profile, or those of a node.yaml. */
async function readDisclosure(given: string): Promise<SiteDisclosure | null> {
  const problems: string[] = [];
  const isProfile = (PROFILE_NAMES as readonly string[]).includes(given);
  const section = isProfile
    ? { profile: given }
    : (parseYaml(await Deno.readTextFile(typedPath(given))) as Record<string, unknown> | null)
      ?.disclosure;
  const parsed = disclosureSection.safeParse(section ?? {});
  if (!parsed.success) throw new UsageError(`--disclosure: ${z.prettifyError(parsed.error)}`);
  const found = disclosureOf(parsed.data, problems);
  if (problems.length > 0) throw new UsageError(`--disclosure: ${problems.join("; ")}`);
  return found;
}

async function readPolicy(path: string): Promise<Policy> {
  const schema = z.object({ policies: policiesSection });
  const parsed = schema.safeParse(parseYaml(await Deno.readTextFile(path)) ?? {});
  if (!parsed.success) throw new UsageError(`${path}: ${z.prettifyError(parsed.error)}`);
  return policyOf(parsed.data.policies);
}
