/**
 * `deno task node check`: what would keep this node from working, and what to do about it; and what
 * its rules would say of a task.
 * @module
 */
import { statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { NodeConfig } from "../config/config.ts";
import { publicKeyText, readPrivateKey } from "../encryption/keys.ts";
import type { NodeIdentity } from "../hub/hub.ts";
import { decideCall } from "../policy/decide_call.ts";
import { decideTask, restsOnStore } from "../policy/decide_task.ts";
import { type HolderOfName, holdersOfNames, type KindOfName } from "../policy/known_names.ts";
import type { Caller, Policy } from "../policy/policy.ts";
import {
  type Engine,
  engineInfo,
  findEngine,
  missingLimits,
  podmanVersion,
  usualSockets,
} from "../container/engine.ts";
import { gpuProblem } from "../container/gpu.ts";
import { createTables } from "../data/tables.ts";
import { algorithmNames } from "../run/algorithm_store.ts";
import { namedArguments } from "../run/call.ts";
import { checkDisclosure } from "./disclosure.ts";
import { checkData } from "./data.ts";
import { type Finding, finding } from "./finding.ts";
import { checkSurroundings } from "./network.ts";
import { checkWays } from "./ways.ts";
import { checkWhitelist } from "./whitelist.ts";

const LEAST_FREE = 2 * 2 ** 30;

/** Looks at one thing after the other. */
export async function* check(config: NodeConfig): AsyncGenerator<Finding> {
  yield finding("configuration", true, "can be read; every option is known");
  const identity = yield* checkWays(config);
  yield checkPrivateKey(config, identity);
  yield await listAlgorithms(config);
  yield* checkNames(config);
  yield checkDisclosure(config);
  const tables = createTables({
    folder: join(config.dataFolder, "tables"),
    namesMayLeave: config.shareColumns,
    timeoutSeconds: config.readTimeoutSeconds,
  });
  for (const database of config.databases) {
    yield* checkData(database, { config, tables });
  }
  yield* checkContainers(config);
  yield* checkWhitelist(config);
  yield await checkDisk(config.dataFolder);
}

async function listAlgorithms({ algorithmFolders, algorithmLibrary }: NodeConfig) {
  const names = await algorithmNames({ folders: algorithmFolders, library: algorithmLibrary });
  const note = names.length === 0 ? "none by name" : `deno: ${names.join(", ")}`;
  return finding("algorithms", true, note);
}

/** Whose the names are that the rules list. */
async function* checkNames({ dataFolder, policy }: NodeConfig): AsyncGenerator<Finding> {
  const what = "names in policies";
  try {
    const holders = await holdersOfNames(dataFolder, policy);
    if (holders.length === 0) return;
    const notes = holders.map(({ kind, name, id }) =>
      `${kind} ${JSON.stringify(name)} is ${id ?? "whoever comes first under that name"}`
    );
    yield finding(what, true, notes.join("; "));
  } catch (error) {
    yield finding(what, false, messageOf(error));
  }
}

function checkPrivateKey(config: NodeConfig, identity: NodeIdentity | undefined): Finding {
  const encrypted = identity?.collaboration.encrypted;
  if (encrypted !== undefined && encrypted !== config.encryption) {
    return finding(
      "encryption",
      false,
      `the collaboration "${identity!.collaboration.name}" is ${encrypted ? "" : "not "}` +
        `encrypted and encryption.enabled is ${config.encryption}; the two must agree`,
    );
  }
  if (!config.encryption) return finding("encryption", true, "off");
  const start = publicKeyText(readPrivateKey(config.privateKey!)).slice(40, 64);
  return finding("encryption", true, `on; the private key can be read (public key …${start}…)`);
}

async function* checkContainers(config: NodeConfig): AsyncGenerator<Finding> {
  const name = "container engine";
  const { containers } = config;
  if (!containers) return yield finding(name, true, "not used (container.enabled is false)");
  const named = containers.socket;
  const engine = await findEngine(named ? [named] : usualSockets(Deno.env.toObject()))
    .catch(messageOf);
  if (typeof engine === "object") {
    yield finding(name, true, `answers at ${engine.socket}`);
    yield* checkLimits(engine, containers);
    yield* checkSurroundings(config, engine);
    return;
  }
  if (engine !== undefined) yield finding(name, false, `${engine}; is the engine well?`);
  else if (named) {
    yield finding(name, false, `none answers at ${named}; start it, or mend container.socket`);
  } else {
    const note = "none found; algorithms for the sandbox run, container images do not";
    yield finding(name, true, note);
  }
  yield* checkSurroundings(config, undefined);
}

/** What the engine cannot do of what is asked of it. */
async function* checkLimits(
  engine: Engine,
  { gpu }: NonNullable<NodeConfig["containers"]>,
): AsyncGenerator<Finding> {
  const missing = missingLimits(await engineInfo(engine));
  if (missing.length > 0) {
    const note = `the engine cannot limit the ${missing.join(" and ")} of algorithms; ` +
      "a rootless engine needs cgroups v2 with these controllers delegated to its user";
    yield finding("container limits", false, note);
  }
  const podman = gpu ? await podmanVersion(engine) : undefined;
  const problem = podman && gpuProblem(podman);
  if (problem) yield finding("GPU", false, problem);
}

async function checkDisk(folder: string): Promise<Finding> {
  for (let place = folder;; place = dirname(place)) {
    const space = await statfs(place).catch(() => undefined);
    if (!space && place !== dirname(place)) continue;
    const free = space ? Number(space.bavail) * Number(space.bsize) : 0;
    const note = `${(free / 2 ** 30).toFixed(1)} GiB free for ${folder}`;
    return free >= LEAST_FREE
      ? finding("disk", true, note)
      : finding("disk", false, `${note}; make room, or set task_dir to a larger disk`);
  }
}

const who = z.strictObject({ id: z.number().default(0), name: z.string().optional() });
const taskSchema = z.strictObject({
  image: z.string(),
  /** The address of the algorithm store that it comes from. */
  store: z.string().optional(),
  user: who.prefault({}),
  organization: who.prefault({}),
  databases: z.array(z.string()).default([]),
  /** How many organizations have a share. */
  organizations: z.number().default(1),
  method: z.string().optional(),
  args: z.array(z.unknown()).default([]),
  kwargs: namedArguments.default({}),
});

/**
 * What the rules say of a task, given as JSON such as
 * `{"image": …, "user": {"id": 1, "name": "alice"}, "method": …, "kwargs": …}`.
 */
export function explainTask(
  json: unknown,
  policy: Policy,
  holders: HolderOfName[] = [],
): { text: string; allowed: boolean } {
  const parsed = taskSchema.safeParse(json);
  if (!parsed.success) {
    throw new Error(`The task is not as --help shows it:\n${z.prettifyError(parsed.error)}`);
  }
  const { method, user, organization, ...rest } = parsed.data;
  const task = {
    ...rest,
    user: { ...user, ...nameOfAnother("user", user, holders) },
    organization: { ...organization, ...nameOfAnother("organization", organization, holders) },
  };
  const first = decideTask(task, policy);
  if (!first.allowed) return { text: `not allowed: ${first.reason}`, allowed: false };
  const provided = restsOnStore(task, policy)
    ? `, provided that the store ${task.store} tells this node that it has approved the image`
    : "";
  if (method === undefined) {
    const text = `allowed, as far as can be told without a method${provided}`;
    return { text, allowed: true };
  }
  const second = decideCall({ ...task, method }, policy);
  return second.allowed
    ? { text: `allowed${provided}`, allowed: true }
    : { text: `not allowed: ${second.reason}`, allowed: false };
}

/** Whose the name is, where the task says another id than that. */
function nameOfAnother(
  kind: KindOfName,
  { id, name }: Caller,
  holders: HolderOfName[],
): Pick<Caller, "nameIsOf"> {
  const holder = holders.find((one) => one.kind === kind && one.name === name)?.id;
  return id === 0 || holder === undefined || holder === id ? {} : { nameIsOf: holder };
}
