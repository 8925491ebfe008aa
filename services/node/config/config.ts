/**
 * The node's configuration: node.yaml, read once and checked as a whole.
 * @module
 */
import { basename, dirname, extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse as parseYaml } from "yaml";
import { ConfigError } from "../../../shared/service/config.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { LogLevel } from "../../../shared/service/log.ts";
import type { ContainerOptions } from "../container/options.ts";
import type { NodeDatabase } from "../data/databases.ts";
import type { SiteDisclosure } from "../disclosure/rules.ts";
import type { FormatSetting } from "../encryption/formats.ts";
import type { WayOutSettings } from "../hub/way_out.ts";
import type { Policy } from "../policy/policy.ts";
import type { RunLimits } from "../run/runtime.ts";
import { containerOptions, readLogins } from "./containers.ts";
import { databaseOf, problemsOfDatabases } from "./databases.ts";
import { disclosureOf } from "./disclosure.ts";
import { explain } from "./explain.ts";
import { policyOf } from "./policies.ts";
import { type ConfigOptions, configSchema } from "./schema.ts";
import { readApiKey, readPrivateKeyText } from "./secrets.ts";
import { wayOutOf } from "./way_out.ts";

/** What an algorithm is told by the node's owner, as JSON has it. */
export type AlgorithmSettings = Readonly<Record<string, unknown>>;

/** Runs that may wait for each that may compute. */
const WAITING_FOR_EACH = 4;

/** A configuration that has been checked; every path is absolute. */
export interface NodeConfig {
  apiKey: string;
  /** Base address of the hub's API, without a slash at the end: `https://hub.example:443/api`. */
  api: string;
  /** Through which proxy the agent gets out, and which authorities it trusts. */
  wayOut: WayOutSettings;
  /** The folder of the journal, the private broker key and the runs. */
  dataFolder: string;
  databases: NodeDatabase[];
  /** How long the reading of a database for the sandbox may take. */
  readTimeoutSeconds: number;
  algorithmFolders: string[];
  /** Whether the library of algorithms that comes with the node may be used. */
  algorithmLibrary: boolean;
  /** What algorithms in the sandbox are told, by references as in the owner's rules. */
  algorithmSettings: { name: string; settings: AlgorithmSettings }[];
  policy: Policy;
  /** The address of the hub's API by which algorithm stores know it. */
  serverForStores: string;
  /** The rules on what may leave; null where there are none. */
  disclosure: SiteDisclosure | null;
  /** Whether the owner has said which rules there are, were it none. */
  disclosureIsSaid: boolean;
  encryption: boolean;
  /** The organization's private key in PEM, which has been checked. */
  privateKey: string | undefined;
  /** How inputs and results of subtasks are encrypted. */
  betweenNodes: FormatSetting;
  /**
   * The only public key, by its fingerprint, with which something is encrypted for an organization.
   */
  pinnedKeys: Readonly<Record<string, string>>;
  limits: RunLimits;
  /** `undefined` when no container may run here. */
  containers: ContainerOptions | undefined;
  /** Runs that may compute at once; runs that wait for their subtasks do not count. */
  maxRuns: number;
  /**
   * Runs of persons' tasks that may have begun, whether they compute or wait for subtasks; and runs
   * of subtasks that may wait for subtasks of their own. At least {@linkcode NodeConfig.maxRuns}.
   */
  maxWaitingRuns: number;
  /** How often the hub is told how the agent and its machine are; `undefined`: never. */
  metricsEverySeconds: number | undefined;
  /** The collector that gets the traces of runs; `undefined`: nobody. */
  traces: string | undefined;
  /** How much the agent tells of itself, unless a variable says it. */
  logLevel: LogLevel | undefined;
  /** The page for the owner, on this machine alone; at port 0 the system chooses one. */
  page: { enabled: boolean; port: number };
  /** Whether the hub is told of rules and databases. */
  shareConfig: boolean;
  /** Whether names of columns leave: to the hub, and in messages for researchers. */
  shareColumns: boolean;
  /** Whether what algorithms print leaves the site. */
  shareLogs: boolean;
}

const OWN_ALGORITHMS = fileURLToPath(new URL("../algorithms", import.meta.url));

/**
 * Reads the YAML file at `path`; relative paths in it start from its folder.
 * Throws one {@linkcode ConfigError} that names every problem.
 */
export async function readNodeConfig(
  path: string,
  env: Record<string, string | undefined> = Deno.env.toObject(),
): Promise<NodeConfig> {
  const file = resolve(path);
  const parsed = configSchema.safeParse(await readYaml(file), { reportInput: true });
  if (!parsed.success) throw new ConfigError(parsed.error.issues.flatMap(explain));

  const options = parsed.data;
  const absolute = (relative: string) => resolve(dirname(file), relative);
  const problems: string[] = [];
  const disclosure = disclosureOf(options.disclosure, problems);
  const api = apiAddress(options, problems);
  const config: NodeConfig = {
    apiKey: await readApiKey(options, { env, absolute, problems }),
    api,
    wayOut: await wayOutOf(options, { env, absolute, problems }),
    dataFolder: absolute(options.task_dir ?? `${basename(file, extname(file))}-data`),
    databases: await Promise.all(options.databases.map((one) => databaseOf(one, absolute))),
    algorithmFolders: options.algorithm_folders?.map(absolute) ?? [OWN_ALGORITHMS],
    algorithmLibrary: options.algorithm_library ?? options.algorithm_folders === undefined,
    algorithmSettings: options.algorithm_settings,
    policy: policyOf(options.policies),
    serverForStores: options.policies.server_url_for_stores ?? api,
    disclosure,
    disclosureIsSaid: options.disclosure !== undefined,
    encryption: options.encryption.enabled,
    betweenNodes: options.encryption.between_nodes,
    pinnedKeys: options.encryption.pinned_keys,
    privateKey: await readPrivateKeyText(options.encryption, { env, absolute, problems }),
    readTimeoutSeconds: options.read_timeout_seconds,
    limits: {
      timeoutSeconds: options.limits.timeout_seconds,
      memoryMiB: options.limits.memory_mib,
      outputMiB: options.limits.output_mib,
    },
    containers: containerOptions(options, await readLogins(options, absolute, problems), {
      absolute,
      requirePull: options.policies.require_algorithm_pull,
    }),
    maxRuns: options.max_runs,
    maxWaitingRuns: Math.max(
      options.max_runs,
      options.max_waiting_runs ?? WAITING_FOR_EACH * options.max_runs,
    ),
    metricsEverySeconds: options.prometheus.enabled
      ? options.prometheus.report_interval_seconds
      : undefined,
    traces: options.traces,
    logLevel: options.logging.level,
    page: { enabled: options.page.enabled, port: options.page.port ?? 0 },
    shareConfig: options.share_config,
    shareColumns: options.share_columns,
    // What is printed, and what errors say, may be values.
    shareLogs: options.share_algorithm_logs ?? disclosure === null,
  };
  problems.push(...await problemsOfDatabases(config.databases));
  problems.push(...await problemsOfFolders(config.algorithmFolders));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

async function readYaml(file: string): Promise<unknown> {
  try {
    return parseYaml(await Deno.readTextFile(file)) ?? {};
  } catch (error) {
    throw new ConfigError([`${file} cannot be read: ${messageOf(error)}`]);
  }
}

function apiAddress({ server_url, port, api_path }: ConfigOptions, problems: string[]): string {
  const url = new URL(server_url);
  if (url.pathname !== "/") problems.push("server_url must not have a path; put it in api_path");
  if (url.port && port && Number(url.port) !== port) {
    problems.push(`server_url names port ${url.port} and port says ${port}; keep one`);
  }
  if (port) url.port = String(port);
  return url.origin + api_path.replace(/\/$/, "");
}

async function problemsOfFolders(folders: readonly string[]): Promise<string[]> {
  const problems: string[] = [];
  for (const folder of folders) {
    const info = await Deno.stat(folder).catch(() => undefined);
    if (!info?.isDirectory) problems.push(`algorithm_folders: there is no folder ${folder}`);
  }
  return problems;
}
