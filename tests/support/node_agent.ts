/**
 * A node agent for tests: its folder with algorithms and data, and the agent as a process that can
 * be killed.
 */
import { stringify } from "yaml";
import { API_KEY_VARIABLE } from "../../services/node/config/secrets.ts";
import { type ManagedProcess, startProcess } from "../../services/stack/process.ts";
import { ROOT } from "../../services/stack/service_part.ts";
import { temporaryFolder } from "../harness.ts";

/** What tests run: one algorithm per thing that a run can do. */
const ALGORITHM = `
export function echo(context, value) {
  context.log("echoing");
  return value;
}
export function fail() {
  throw new Error("this one fails");
}
export function big(_context, { bytes }) {
  return "x".repeat(bytes);
}
export function wordy(_context, { bytes = 1_000_000 } = {}) {
  for (let n = 0; n < 250_000; n++) console.log("word");
  return "x".repeat(bytes);
}
export function wordyFailure() {
  wordy();
  throw new Error("this one fails");
}
/** Prints what takes six times its room in a message. */
export function control() {
  const line = "\\x01".repeat(1000);
  for (let n = 0; n < 1000; n++) console.log(line);
  return "printed";
}
export function mean(context, { column }) {
  const values = context.table().numeric(column);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
export async function central(context, { kwargs }) {
  const [organization] = await context.organizations();
  const { id } = await context.createTask({
    organizations: [organization.id],
    input: { method: "echo", kwargs },
  });
  return await context.results(id);
}
/** Waits for a subtask that nobody does. */
export async function lonely(context) {
  const { id } = await context.createTask({ organizations: [99], input: { method: "echo" } });
  const results = context.results(id);
  console.log("waits");
  return await results;
}
export async function forever(context) {
  context.log("running");
  await new Promise((resolve) => setTimeout(resolve, 1e9));
}
/** Runs until its subtask can be made. */
export async function patient(context, { kwargs }) {
  context.log("running");
  await context.createTask({ organizations: [1], input: { method: "echo", kwargs } });
  return "was patient";
}
`;

export interface NodeFolder {
  path: string;
  configPath: string;
  remove(): Promise<void>;
}

/**
 * A folder with a configuration, the algorithm `deno:test@1.0` and a database. `options` are the
 * file's own.
 */
export async function nodeFolder(
  hub: { port: number },
  apiKey: string,
  options: Record<string, unknown> = {},
): Promise<NodeFolder> {
  const folder = await temporaryFolder();
  const configPath = `${folder.path}/node.yaml`;
  await Deno.mkdir(`${folder.path}/algorithms`);
  await Deno.writeTextFile(`${folder.path}/algorithms/test@1.0.ts`, ALGORITHM);
  await Deno.writeTextFile(`${folder.path}/data.csv`, "age,name\n20,a\n40,b\n");
  await Deno.writeTextFile(
    configPath,
    stringify({
      api_key: apiKey,
      server_url: "http://127.0.0.1",
      port: hub.port,
      databases: [{ label: "default", uri: "data.csv", type: "csv" }],
      algorithm_folders: ["algorithms"],
      ...options,
    }),
  );
  return { path: folder.path, configPath, remove: folder.remove };
}

export interface AgentProcess extends ManagedProcess {
  lines: string[];
  /** Resolves when the agent serves; rejects with its last words when it ends instead. */
  ready: Promise<void>;
  kill9(): Promise<void>;
}

export function startAgentProcess(
  configPath: string,
  { variables = {}, args = [] }: { variables?: Record<string, string>; args?: string[] } = {},
): AgentProcess {
  const lines: string[] = [];
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  const env = { ...Deno.env.toObject(), ...variables };
  delete env[API_KEY_VARIABLE];
  const child = startProcess({
    command: Deno.execPath(),
    // As `deno task node` starts it.
    args: [
      ...["run", "--quiet", "-A", "--v8-flags=--max-semi-space-size=4"],
      ...[`${ROOT}services/node/main.ts`, "--config", configPath, ...args],
    ],
    env,
    onLine(line) {
      lines.push(line);
      if (line.includes('"message":"Ready"')) ready.resolve();
    },
  });
  child.exited.then(() => ready.reject(new Error(`the agent ended:\n${lines.join("\n")}`)));
  return {
    ...child,
    lines,
    ready: ready.promise,
    async kill9() {
      child.signal("SIGKILL");
      await child.exited;
    },
  };
}
