/**
 * The node's configuration file, in the field's option names where the field has one (`server_url`, `port`,
 * `api_path`, `databases`, `policies`, `encryption`, `task_dir`), read once and checked as a whole.
 * @module
 */
import { basename, dirname, extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { ConfigError } from "../../../shared/service/config.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { LogLevel } from "../../../shared/service/log.ts";
import { closest } from "../../../shared/command_line/closest.ts";
import { addressesOf } from "../data/address.ts";
import { IN_FILES, type NodeDatabase } from "../data/databases.ts";
import { DATABASE_TYPES } from "../data/types.ts";
import { readOptions } from "../data/options.ts";
import { FORMAT_SETTINGS, type FormatSetting } from "../encryption/formats.ts";
import { readPrivateKey } from "../encryption/keys.ts";
import { isPattern, type Policy } from "../policy/policy.ts";
import type { ContainerOptions } from "../container/options.ts";
import { LOOPBACK } from "../container/network/routes.ts";
import type { RunLimits } from "../run/runtime.ts";
import { containerOptions, containerShape, readLogins } from "./containers.ts";
import { whyNot } from "./elsewhere.ts";
import { count, listOf, option, port, target } from "./types.ts";

function isValid(entry: string): boolean {
  try {
    // By itself: "a)|(?:b" is a pattern only within the brackets that it gets later, and then not of all of a text.
    return !isPattern(entry) || Boolean(new RegExp(entry, "u"));
  } catch {
    return false;
  }
}

const reference = option.refine(isValid, "must be a reference or a valid pattern");
const storeAddress = option.refine(
  (entry) => isPattern(entry) ? isValid(entry) : URL.canParse(entry),
  'must be the address of a store, such as "https://store.example/api", or a valid pattern',
);

/** Digits are an id: no user can have such a name, and no organization either. */
function idOrName(whose: string) {
  return z.union([
    z.number().int(),
    option.transform((text) => /^\d+$/.test(text) ? Number(text) : text),
  ], { error: `must be ${whose} id or name` });
}

const methodOptions = z.strictObject({
  minimum_organizations: count.optional(),
  arguments: z.record(
    z.string(),
    z.union([z.literal("any"), z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]))], {
      error: 'must be "any" or a list of values',
    }),
  ).optional(),
});
type MethodOptions = z.infer<typeof methodOptions>;

const database = z.strictObject({
  label: option.regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1-64 letters, digits, _ or -"),
  uri: option,
  type: z.enum(DATABASE_TYPES, `must be one of ${DATABASE_TYPES.join(", ")}`),
  env: z.record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of a variable"),
    z.union([z.string(), z.number(), z.boolean()], { error: "must be text or a number" })
      .transform(String),
  ).optional(),
  reach: listOf(target).optional(),
  mount_mode: z.enum(["ro", "copy"], "must be ro or copy").optional(),
  read: readOptions.optional(),
});

/** The field's words and ours. */
const LOG_LEVELS: Readonly<Record<string, LogLevel>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  WARN: "warn",
  ERROR: "error",
  CRITICAL: "error",
};

const schema = z.strictObject({
  api_key: option.optional(),
  api_key_file: option.optional(),
  server_url: z.url({
    protocol: /^https?$/,
    error: 'must be an address such as "https://hub.example"',
  }),
  port: port.optional(),
  api_path: z.string().regex(/^(\/[\w.-]+)*\/?$/, 'must be a path such as "/api"').default("/api"),
  task_dir: option.optional(),
  databases: z.array(database).default([]),
  algorithm_folders: z.array(option).optional(),
  policies: z.strictObject({
    allowed_algorithms: listOf(reference).optional(),
    allowed_algorithm_stores: listOf(storeAddress).optional(),
    allow_either_whitelist_or_store: z.boolean("must be true or false").default(false),
    allow_basics_algorithm: z.boolean("must be true or false").default(true),
    allowed_users: listOf(idOrName("a user's")).optional(),
    allowed_organizations: listOf(idOrName("an organization's")).optional(),
    minimum_organizations: count.optional(),
    algorithms: z.array(z.strictObject({
      name: reference,
      databases: z.array(option).optional(),
      minimum_organizations: count.optional(),
      methods: z.union([
        z.array(option).transform((names) =>
          Object.fromEntries(names.map((name) => [name, {}])) as Record<string, MethodOptions>
        ),
        z.record(z.string(), methodOptions),
      ], {
        error: "must be a list of methods, or methods with minimum_organizations and arguments",
      }).optional(),
    })).optional(),
    require_algorithm_pull: z.boolean("must be true or false").default(true),
  }).prefault({}),
  encryption: z.strictObject({
    enabled: z.boolean("must be true or false").default(false),
    private_key: option.optional(),
    between_nodes: z.enum(FORMAT_SETTINGS, `must be one of ${FORMAT_SETTINGS.join(", ")}`)
      .default("announced"),
  }).prefault({}),
  limits: z.strictObject({
    timeout_seconds: count.default(24 * 3600),
    // V8 does not start with less than 1 GiB of address space for data.
    memory_mib: count.min(1024, "must be at least 1024: an algorithm does not start with less")
      .default(2048),
    output_mib: count.max(3072, "must be at most 3072").default(64),
  }).prefault({}),
  prometheus: z.strictObject({
    enabled: z.boolean("must be true or false").default(false),
    report_interval_seconds: count.max(86_400, "must be at most 86400").default(45),
  }).prefault({}),
  ...containerShape,
  logging: z.strictObject({
    level: option.toUpperCase().refine((name) => Object.hasOwn(LOG_LEVELS, name), {
      error: `must be one of ${Object.keys(LOG_LEVELS).join(", ")}`,
    }).transform((name) => LOG_LEVELS[name]!).optional(),
  }).prefault({}),
  share_config: z.boolean("must be true or false").default(true),
  share_columns: z.boolean("must be true or false").default(false),
  share_algorithm_logs: z.boolean("must be true or false").default(true),
  max_runs: count.default(() => Math.max(2, navigator.hardwareConcurrency)),
});

/** A configuration that has been checked; every path is absolute. */
export interface NodeConfig {
  apiKey: string;
  /** Base address of the hub's API, without a slash at the end: `https://hub.example:443/api`. */
  api: string;
  /** The folder of the journal, the private broker key and the runs. */
  dataFolder: string;
  databases: NodeDatabase[];
  algorithmFolders: string[];
  policy: Policy;
  encryption: boolean;
  /** The organization's private key in PEM, which has been checked. */
  privateKey: string | undefined;
  /** How inputs and results of subtasks are encrypted. */
  betweenNodes: FormatSetting;
  limits: RunLimits;
  /** `undefined` when no container may run here. */
  containers: ContainerOptions | undefined;
  /** Runs that may compute at once; runs that wait for their subtasks do not count. */
  maxRuns: number;
  /** How often the hub is told how the agent and its machine are; `undefined`: never. */
  metricsEverySeconds: number | undefined;
  /** How much the agent tells of itself, unless a variable says it. */
  logLevel: LogLevel | undefined;
  /** Whether the hub is told of rules and databases. */
  shareConfig: boolean;
  /** Whether names of columns leave: to the hub, and in messages for researchers. */
  shareColumns: boolean;
  /** Whether what algorithms print leaves the site. */
  shareLogs: boolean;
}

/** The variable that may hold the API key instead of the file. */
export const API_KEY_VARIABLE = "SEXTANT_NODE_API_KEY";
/** The variable that may hold the text of the private key instead of the file that `encryption.private_key` names. */
export const PRIVATE_KEY_VARIABLE = "SEXTANT_NODE_PRIVATE_KEY";

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
  const parsed = schema.safeParse(await readYaml(file), { reportInput: true });
  if (!parsed.success) throw new ConfigError(parsed.error.issues.flatMap(explain));

  const options = parsed.data;
  const at = (relative: string) => resolve(dirname(file), relative);
  const problems: string[] = [];
  const config: NodeConfig = {
    apiKey: await readApiKey(options, at, env, problems),
    api: apiAddress(options, problems),
    dataFolder: at(options.task_dir ?? `${basename(file, extname(file))}-data`),
    databases: await Promise.all(options.databases.map((one) => databaseOf(one, at))),
    algorithmFolders: options.algorithm_folders?.map(at) ?? [OWN_ALGORITHMS],
    policy: policyOf(options.policies),
    encryption: options.encryption.enabled,
    betweenNodes: options.encryption.between_nodes,
    privateKey: await readKey(options.encryption, at, env, problems),
    limits: {
      timeoutSeconds: options.limits.timeout_seconds,
      memoryMiB: options.limits.memory_mib,
      outputMiB: options.limits.output_mib,
    },
    containers: containerOptions(options, await readLogins(options, at, problems), {
      at,
      requirePull: options.policies.require_algorithm_pull,
    }),
    maxRuns: options.max_runs,
    metricsEverySeconds: options.prometheus.enabled
      ? options.prometheus.report_interval_seconds
      : undefined,
    logLevel: options.logging.level,
    shareConfig: options.share_config,
    shareColumns: options.share_columns,
    shareLogs: options.share_algorithm_logs,
  };
  await checkPaths(config, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

async function databaseOf(
  { label, type, uri, env, read, reach: given, mount_mode: mode }: z.infer<typeof database>,
  at: (relative: string) => string,
): Promise<NodeDatabase> {
  const about = {
    label,
    type,
    reach: given ?? [],
    ...(env ? { env } : {}),
    ...(read ? { read } : {}),
    ...(mode ? { mountMode: mode } : {}),
  };
  if (IN_FILES.includes(type)) return { ...about, path: at(uri) };
  // What else it is only its type's programs know; a file or a folder must be handed in, though.
  const isHere = !/^[a-z][a-z0-9+.-]*:/i.test(uri) &&
    await Deno.stat(at(uri)).then(() => true, () => false);
  if (isHere) return { ...about, path: at(uri) };
  return { ...about, uri, reach: given ?? addressesOf({ type, uri, env }) };
}

function policyOf(policies: z.infer<typeof schema>["policies"]): Policy {
  return {
    allowedAlgorithms: policies.allowed_algorithms,
    allowedStores: policies.allowed_algorithm_stores,
    eitherAlgorithmOrStore: policies.allow_either_whitelist_or_store,
    allowBasics: policies.allow_basics_algorithm,
    allowedUsers: policies.allowed_users,
    allowedOrganizations: policies.allowed_organizations,
    minimumOrganizations: policies.minimum_organizations,
    algorithms: policies.algorithms?.map(({ name, databases, minimum_organizations, methods }) => ({
      name,
      databases,
      minimumOrganizations: minimum_organizations,
      methods: methods && Object.fromEntries(
        Object.entries(methods).map(([method, options]) => [method, {
          arguments: options.arguments,
          minimumOrganizations: options.minimum_organizations,
        }]),
      ),
    })),
  };
}

async function readYaml(file: string): Promise<unknown> {
  try {
    return parseYaml(await Deno.readTextFile(file)) ?? {};
  } catch (error) {
    throw new ConfigError([`${file} cannot be read: ${messageOf(error)}`]);
  }
}

/** What is said of the shapes that have no message of their own. */
const SHAPES: Partial<Record<string, string>> = {
  array: "must be a list",
  object: "must hold options, each on a line as name: value",
  string: "must be text",
};

/** One line for each thing that is wrong, led by where it stands: `databases[0].label`. */
function explain(issue: z.core.$ZodIssue): string[] {
  const where = issue.path.map((step) =>
    typeof step === "number" ? `[${step}]` : `.${String(step)}`
  )
    .join("").replace(/^\./, "");
  if (issue.code !== "unrecognized_keys") {
    const wrongType = issue.code === "invalid_type";
    const missing = wrongType && issue.input === undefined;
    const must = wrongType ? SHAPES[issue.expected] : undefined;
    return [`${where || "the file"} ${missing ? "is missing" : must ?? issue.message}`];
  }
  const known = keysAt(issue.path);
  return issue.keys.map((key) => {
    const instead = whyNot(where ? `${where}.${key}` : key);
    if (instead) {
      return `${where ? `${where}.` : ""}${key} is not an option of this node: ${instead}`;
    }
    const near = closest(key, known);
    const hint = near ? `did you mean ${near}?` : `known here: ${known.join(", ")}`;
    return `${where ? `${where}.` : ""}${key} is not an option; ${hint}`;
  });
}

/** Every option, by its path in the file (`limits.memory_mib`; the entries of a list are `[]`). */
export function allOptions(place: unknown = schema, prefix = ""): string[] {
  const inner = unwrap(place);
  if (inner instanceof z.ZodArray) return allOptions(inner.element, `${prefix}[]`);
  if (!(inner instanceof z.ZodObject)) return [prefix];
  return Object.entries(inner.shape).flatMap(([key, value]) =>
    allOptions(value, prefix ? `${prefix}.${key}` : key)
  );
}

/** The options that exist at a place of the file. */
function keysAt(path: PropertyKey[]): string[] {
  let place: unknown = schema;
  for (const step of path) {
    const inner = unwrap(place);
    place = inner instanceof z.ZodArray ? inner.element : (inner as typeof schema).shape[
      step as keyof typeof schema.shape
    ];
  }
  return Object.keys((unwrap(place) as typeof schema).shape);
}

function unwrap(type: unknown): unknown {
  return type instanceof z.ZodDefault || type instanceof z.ZodPrefault ||
      type instanceof z.ZodOptional
    ? unwrap(type.unwrap())
    : type;
}

async function readApiKey(
  { api_key, api_key_file }: z.infer<typeof schema>,
  at: (relative: string) => string,
  env: Record<string, string | undefined>,
  problems: string[],
): Promise<string> {
  const given = Object.entries({
    api_key,
    api_key_file,
    [`the variable ${API_KEY_VARIABLE}`]: env[API_KEY_VARIABLE] || undefined,
  }).filter(([, value]) => value !== undefined) as [string, string][];
  const [first] = given;
  if (!first || given.length > 1) {
    problems.push(
      first
        ? `the API key is given twice, by ${given.map(([name]) => name).join(" and ")}; keep one`
        : `api_key is missing; give it, api_key_file or the variable ${API_KEY_VARIABLE}`,
    );
    return "";
  }
  if (first[0] !== "api_key_file") return first[1];
  const path = at(first[1]);
  try {
    const key = (await Deno.readTextFile(path)).trim();
    if (!key) problems.push(`api_key_file is empty: ${path}`);
    return key;
  } catch (error) {
    problems.push(`api_key_file cannot be read: ${messageOf(error)}`);
    return "";
  }
}

async function readKey(
  { enabled, private_key }: z.infer<typeof schema>["encryption"],
  at: (relative: string) => string,
  env: Record<string, string | undefined>,
  problems: string[],
): Promise<string | undefined> {
  if (!enabled) return undefined;
  const given = env[PRIVATE_KEY_VARIABLE] || undefined;
  if (!private_key === !given) {
    const places = `encryption.private_key or the variable ${PRIVATE_KEY_VARIABLE}`;
    problems.push(
      given
        ? `the private key is given twice, by ${places}; keep one`
        : `encryption.private_key is missing: give ${places}; deno task node keygen makes a key`,
    );
    return undefined;
  }
  try {
    const pem = given ?? await Deno.readTextFile(at(private_key!));
    readPrivateKey(pem);
    return pem;
  } catch (error) {
    const name = given ? `the variable ${PRIVATE_KEY_VARIABLE}` : "encryption.private_key";
    problems.push(`${name} cannot be used: ${messageOf(error)}`);
    return undefined;
  }
}

function apiAddress({ server_url, port, api_path }: z.infer<typeof schema>, problems: string[]) {
  const url = new URL(server_url);
  if (url.pathname !== "/") problems.push("server_url must not have a path; put it in api_path");
  if (url.port && port && Number(url.port) !== port) {
    problems.push(`server_url names port ${url.port} and port says ${port}; keep one`);
  }
  if (port) url.port = String(port);
  return url.origin + api_path.replace(/\/$/, "");
}

async function checkPaths(config: NodeConfig, problems: string[]): Promise<void> {
  const labels = new Map<string, string>();
  for (const { label, type, path, read, reach } of config.databases) {
    if (reach.some((one) => one.port === 80 && /^(localhost|127\.0\.0\.1)$/.test(one.host))) {
      problems.push(
        `databases: ${label} is at ${LOOPBACK}:80, where containers find their proxy; ` +
          "give this machine's name or another address",
      );
    }
    // A container finds a database by its label in capitals.
    const other = labels.get(label.toUpperCase());
    if (other === label) problems.push(`databases: the label ${label} stands there twice`);
    else if (other) {
      problems.push(`databases: the labels ${other} and ${label} differ in case alone`);
    }
    labels.set(label.toUpperCase(), label);
    if (read && type !== "csv") {
      problems.push(`databases: ${label} has the option read, which is for files of the type csv`);
    }
    if (path === undefined) continue;
    const info = await Deno.stat(path).catch(() => undefined);
    if (type === "folder" && !info?.isDirectory) {
      problems.push(`databases: ${label} is not a folder that can be read: ${path}`);
    } else if (type !== "folder" && IN_FILES.includes(type) && !info?.isFile) {
      problems.push(`databases: ${label} is not a file that can be read: ${path}`);
    }
  }
  for (const folder of config.algorithmFolders) {
    const info = await Deno.stat(folder).catch(() => undefined);
    if (!info?.isDirectory) problems.push(`algorithm_folders: there is no folder ${folder}`);
  }
}
