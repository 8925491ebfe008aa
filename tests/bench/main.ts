/**
 * `deno task bench`: what Sextant costs, each number beside a raw floor measured in the same run.
 * Machines differ and are noisy: compare the ratios, not the absolute numbers.
 * @module
 */
import { readArgs } from "../../shared/command_line/read_args.ts";
import { messageOf } from "../../shared/service/errors.ts";
import { startTestStack } from "../harness.ts";
import { createSite } from "../site.ts";
import type { BenchContext } from "./context.ts";
import { benchData } from "./data.ts";
import { benchDisclosure } from "./disclosure.ts";
import { benchDatabase } from "./database.ts";
import { benchFanOut } from "./fan_out.ts";
import { benchFeed } from "./feed.ts";
import { benchFirstLine } from "./first_line.ts";
import { benchGateway } from "./gateway.ts";
import { benchIdle } from "./idle.ts";
import { benchIterations } from "./iterations.ts";
import { benchLibrary } from "./library.ts";
import { benchLists } from "./lists.ts";
import { benchLogin } from "./login.ts";
import { benchManyNodes } from "./many_nodes.ts";
import { benchNoopRuns } from "./noop_runs.ts";
import { benchPage } from "./page.ts";
import { benchPayload } from "./payload.ts";
import { benchReturning } from "./returning.ts";
import { benchRuntimes } from "./runtimes.ts";
import { benchRuns } from "./runs.ts";
import { benchTasks } from "./tasks.ts";

const BENCHES: Record<string, { what: string; run: (context: BenchContext) => Promise<void> }> = {
  gateway: { what: "authenticated GET through the gateway", run: benchGateway },
  database: { what: "statements and transactions through our own layer", run: benchDatabase },
  login: { what: "log-in, and what the time of a failure tells", run: benchLogin },
  "first-line": { what: "POST accepted to the algorithm's first line", run: benchFirstLine },
  runtimes: {
    what: "what sandbox and containers add to their floors; an idle agent's memory",
    run: benchRuntimes,
  },
  data: { what: "a run on a million rows, the first time and again", run: benchData },
  iterations: {
    what: "25 iterations of a logistic regression at 4 sites, in the sandbox",
    run: benchIterations,
  },
  library: {
    what: "each analysis of the library on a million rows at 4 sites, beside Python's",
    run: benchLibrary,
  },
  disclosure: {
    what: "analyses of the library on a million rows with rules on what may leave, and without",
    run: benchDisclosure,
  },
  lists: {
    what: "lists and single reads among 1,000 and 1,000,000 organizations, users and nodes",
    run: benchLists,
  },
  idle: {
    what:
      "a hub and an agent with nothing to do, and with the owner's page open: memory of all processes",
    run: benchIdle,
  },
  feed: { what: "committed result to a client's live feed", run: benchFeed },
  "fan-out": { what: "one task to 100 and to 1,000 connected nodes", run: benchFanOut },
  "many-nodes": {
    what: "10,000 connected nodes: a task to all, memory, and the broker's restart",
    run: benchManyNodes,
  },
  returning: { what: "a node that comes back to 10,000 queued runs", run: benchReturning },
  page: {
    what: "the page of a hub with 1,000 nodes and 10,000 tasks, in a browser",
    run: benchPage,
  },
  payload: { what: "1 GiB up and down, and what each process grows by", run: benchPayload },
  tasks: { what: "creating and listing among 1,000 and 1,000,000 results", run: benchTasks },
  runs: { what: "runs per second, end to end in the sandbox", run: benchRuns },
  "noop-runs": {
    what: "runs per second, end to end, of algorithms that do nothing",
    run: benchNoopRuns,
  },
};

const HELP = `deno task bench [--help] [--quick] [NAME...]

Starts a whole Sextant in a temporary folder and measures it. With --quick what is large is a tenth of its size.
Without names, everything:

${Object.entries(BENCHES).map(([name, { what }]) => `  ${name.padEnd(14)} ${what}`).join("\n")}`;

function options() {
  try {
    return readArgs({
      args: Deno.args,
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        quick: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    console.error(`${messageOf(error)}\nSee: deno task bench --help`);
    Deno.exit(2);
  }
}

const { values, positionals } = options();
if (values.help) {
  console.log(HELP);
  Deno.exit(0);
}
const unknown = positionals.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(", ")}.\n\n${HELP}`);
  Deno.exit(2);
}

const stack = await startTestStack();
try {
  const site = await createSite(stack, { data: ["x\n1\n", "x\n2\n"] });
  for (const member of site.members) await site.startNode(member);
  for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHES)) {
    console.log(`\n${name}: ${BENCHES[name]!.what}`);
    await BENCHES[name]!.run({ stack, site, quick: values.quick });
  }
} finally {
  await stack.stop();
}
