/**
 * The main job, on real data and real parts: three islands that may not pool their penguins compute
 * an average and a regression together. Everything goes through the public API.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { type Client, createClient, isGood } from "../client/mod.ts";
import {
  BODY_MASS,
  csvOf,
  FLIPPER_LENGTH,
  type Island,
  ISLANDS,
  pooled,
  populationOf,
} from "./penguins.ts";
import type { NewAdministrator } from "./administrator.ts";

interface LogIn {
  username: string;
  password: string;
}

/** What the demo needs of a running stack. */
export interface DemoStack {
  gatewayUrl: string;
  /** Where the demo may put the nodes' data and configuration. */
  folder: string;
  newAdministrator: NewAdministrator | undefined;
  adminCredentials(): Promise<LogIn>;
  addNode(name: string, configPath: string): Promise<void>;
}

export interface DemoOutcome {
  /** Whether every federated number equals its pooled one. */
  agrees: boolean;
  users: { username: string; password: string; role: string }[];
  /** A task to look at. */
  taskId: number;
}

/**
 * The largest relative difference between a federated number and the same one computed on pooled
 * rows.
 */
export const TOLERANCE = 1e-9;

/** What the nodes let run: the two analyses of the demo, and some of the library to try. */
const ALLOWED = [
  ...["average", "linear_regression"],
  ...["summary", "crosstab", "histogram", "quantiles", "correlation", "compare_means", "glm"],
].map((name) => `deno:${name}@1.0.0`);

type Say = (line: string) => void;

/** Runs the demo; `say` gets one line per step. */
export async function runDemo(stack: DemoStack, say: Say): Promise<DemoOutcome> {
  const credentials = await ensureAdministrator(stack);
  const admin = createClient({ url: stack.gatewayUrl });
  await admin.logIn(credentials);
  say(`Logged in as ${credentials.username}.`);
  const site = await setUp(admin, stack, say);

  const researcher = createClient({ url: stack.gatewayUrl });
  await researcher.logIn(site.researcher);
  say(`Logged in as ${site.researcher.username}, a researcher of ${ISLANDS[0]}.`);

  const { value: average } = await compute(researcher, site, {
    name: "Average body mass",
    image: "deno:average@1.0.0",
    kwargs: { column: BODY_MASS },
    schema: z.object({ average: z.number() }),
  }, say);
  const { value: regression } = await compute(researcher, site, {
    name: "Body mass by flipper length",
    image: "deno:linear_regression@1.0.0",
    kwargs: { outcome: BODY_MASS, predictors: [FLIPPER_LENGTH] },
    schema: z.object({
      coefficients: z.object({ intercept: z.number(), [FLIPPER_LENGTH]: z.number() }),
    }),
  }, say);

  // Of the same penguins as the average: the rules would withhold what differs by one of them.
  const { taskId } = await compute(researcher, site, {
    name: "Species by island",
    image: "deno:crosstab@1.0.0",
    kwargs: { row: "Species", column: "Island" },
    schema: z.looseObject({}),
  }, say);

  await showWithheld(researcher, site, say);

  const expected = pooled();
  const agrees = compare([
    ["average body mass (g)", average.average, expected.average],
    ["regression: intercept (g)", regression.coefficients.intercept, expected.intercept],
    ["regression: slope (g/mm)", regression.coefficients[FLIPPER_LENGTH], expected.slope],
  ], say);
  return {
    agrees,
    taskId,
    users: [{ ...credentials, role: "Root" }, { ...site.researcher, role: "Researcher" }],
  };
}

/** Asks one island about a single penguin, of which its rules let nothing out. */
async function showWithheld(researcher: Client, site: Site, say: Say): Promise<void> {
  const [first] = site.organizations.keys();
  const { outcomes: [outcome] } = await researcher.run({
    name: "The one penguin of 6300 g",
    image: "deno:average@1.0.0",
    collaboration: site.collaborationId,
    organizations: [first!],
    input: { method: "partial", kwargs: { column: FLIPPER_LENGTH } },
    databases: [{
      label: "default",
      preprocessing: [{
        function: "filter_range",
        parameters: { column: BODY_MASS, min_: 6200 },
      }],
    }],
  });
  if (!outcome || !isGood(outcome)) {
    throw new Error(`A question about one penguin ended as "${outcome?.status}"`);
  }
  say(`Of its one penguin above 6200 g, ${ISLANDS[0]} lets out (rules: datashield):`);
  say(`  ${JSON.stringify(outcome.result!.value)}`);
}

interface Site {
  collaborationId: number;
  organizations: Map<number, Island>;
  researcher: { username: string; password: string };
}

/** Creates who takes part, unless an earlier demo in the same data folder has. */
async function setUp(admin: Client, stack: DemoStack, say: Say): Promise<Site> {
  const organizations = new Map<number, Island>();
  for (const island of ISLANDS) {
    const organization = await admin.organizations.list({ name: island }).first() ??
      await admin.organizations.create({ name: island });
    organizations.set(organization.id, island);
    say(`Organization ${island} has ${populationOf(island)} penguins.`);
  }
  const [first] = organizations.keys();
  const name = "Palmer penguins";
  const collaboration = await admin.collaborations.list({ name }).first() ??
    await admin.collaborations.create({
      name,
      encrypted: false,
      organization_ids: [...organizations.keys()],
    });
  say(`Collaboration "${name}" joins them.`);

  for (const [organizationId, island] of organizations) {
    await startNode(admin, stack, { collaborationId: collaboration.id, organizationId, island });
  }
  await allOnline(admin, collaboration.id);
  say("The nodes are online.");

  const researcher = await ensureResearcher(admin, stack, first!);
  return { collaborationId: collaboration.id, organizations, researcher };
}

/** The node's key is shown once, when it is made; after that its configuration has it. */
async function startNode(
  admin: Client,
  stack: DemoStack,
  { collaborationId, organizationId, island }: {
    collaborationId: number;
    organizationId: number;
    island: Island;
  },
): Promise<void> {
  const folder = join(stack.folder, "nodes", island);
  const config = join(folder, "node.yaml");
  const api_key = await knownKey(config) ?? (await admin.nodes.create({
    name: `${island} node`,
    organization_id: organizationId,
    collaboration_id: collaborationId,
  })).api_key;
  const { protocol, hostname, port } = new URL(stack.gatewayUrl);
  const content = stringify({
    api_key,
    server_url: `${protocol}//${hostname}`,
    port: Number(port),
    api_path: "/api",
    databases: [{ label: "default", uri: "penguins.csv", type: "csv" }],
    policies: { allowed_algorithms: ALLOWED },
    disclosure: { profile: "datashield" },
    // The names of a public data set: they are offered where tasks are written.
    share_columns: true,
  });
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(join(folder, "penguins.csv"), csvOf(island));
  await Deno.writeTextFile(config, content, { mode: 0o600 });
  await stack.addNode(island.toLowerCase(), config);
}

async function knownKey(config: string): Promise<string | undefined> {
  try {
    return parse(await Deno.readTextFile(config)).api_key;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function allOnline(admin: Client, collaborationId: number): Promise<void> {
  const giveUp = Date.now() + 30_000;
  for (;;) {
    const nodes = await admin.nodes.list({ collaboration_id: collaborationId }).all();
    const waiting = nodes.filter((node) => node.status !== "online").map((node) => node.name);
    if (waiting.length === 0) return;
    if (Date.now() > giveUp) {
      throw new Error(`These nodes did not come online: ${waiting.join(", ")}`);
    }
    await delay(100);
  }
}

/** The administrator of this demo, whose log-in a folder that is kept has for the next one. */
async function ensureAdministrator(stack: DemoStack): Promise<LogIn> {
  const file = join(stack.folder, "administrator.json");
  if (!stack.newAdministrator) return JSON.parse(await Deno.readTextFile(file));
  const credentials = await stack.adminCredentials();
  await Deno.writeTextFile(file, JSON.stringify(credentials), { mode: 0o600 });
  await stack.newAdministrator.shown();
  return credentials;
}

async function ensureResearcher(admin: Client, stack: DemoStack, organizationId: number) {
  const file = join(stack.folder, "researcher.json");
  try {
    return JSON.parse(await Deno.readTextFile(file)) as Site["researcher"];
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const role = await admin.roles.list({ name: "Researcher" }).first();
  if (!role) throw new Error('The hub has no role "Researcher".');
  const password = `Sx1-${crypto.getRandomValues(new Uint8Array(12)).toBase64()}`;
  const researcher = { username: "researcher", password };
  await admin.users.create({
    ...researcher,
    firstname: "Kristen",
    lastname: "Example",
    email: "researcher@biscoe.example",
    organization_id: organizationId,
    roles: [role.id],
  });
  await Deno.writeTextFile(file, JSON.stringify(researcher), { mode: 0o600 });
  return researcher;
}

interface Computation<Schema extends z.ZodType> {
  name: string;
  image: string;
  kwargs: Record<string, unknown>;
  /** Of the result. */
  schema: Schema;
}

/**
 * Posts the central task to the first island, shows every change of status, and returns the result.
 */
async function compute<Schema extends z.ZodType>(
  researcher: Client,
  { collaborationId, organizations }: Site,
  { name, image, kwargs, schema }: Computation<Schema>,
  say: Say,
): Promise<{ taskId: number; value: z.output<Schema> }> {
  const [first] = organizations.keys();
  const { taskId, outcomes: [outcome] } = await researcher.run({
    name,
    image,
    collaboration: collaborationId,
    organizations: [first!],
    input: { method: "central", kwargs },
  }, {
    onPosted: ({ id }) => say(`Task ${id} posted: ${name} (${image}).`),
    onChange(change) {
      if (change.is !== "progress") return;
      const { runId, isSubtask, organizationId, status } = change.progress;
      const part = isSubtask ? "partial" : "central";
      say(`  result ${runId}: ${part} at ${organizations.get(organizationId)} is ${status}`);
    },
  });
  if (!outcome || !isGood(outcome)) {
    throw new Error(`Task ${taskId} ended as "${outcome?.status}": ${outcome?.reason}`);
  }
  return { taskId, value: schema.parse(outcome.result!.value) };
}

/** Prints the numbers side by side; false when one pair differs by more than the tolerance. */
function compare(rows: [string, number, number][], say: Say): boolean {
  say("");
  say(`${"".padEnd(28)}${"federated".padStart(24)}${"pooled".padStart(24)}  difference`);
  let agrees = true;
  for (const [what, federated, expected] of rows) {
    const difference = Math.abs(federated - expected) / Math.abs(expected);
    const fits = difference <= TOLERANCE; // false for NaN, too
    agrees &&= fits;
    say(
      what.padEnd(28) + String(federated).padStart(24) + String(expected).padStart(24) +
        `  ${difference.toExponential(1)}${fits ? "" : "  <- DIFFERS"}`,
    );
  }
  say("");
  return agrees;
}
