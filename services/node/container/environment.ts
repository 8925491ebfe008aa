/**
 * The environment of an algorithm's container, as v6's images expect it: every value in base32.
 * @module
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * UTF-8, base32 (RFC 4648) with `!` for `=`: published images decode every variable that is valid
 * base32.
 */
export function encodeValue(value: string): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of new TextEncoder().encode(value)) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text += ALPHABET[(held << (5 - bits)) & 31];
  return text.padEnd(Math.ceil(text.length / 8) * 8, "!");
}

/** A database as one container gets it. */
export interface ContainerDatabase {
  label: string;
  type: string;
  /** Where the algorithm finds it: a path in the container, or an address as it is configured. */
  uri: string;
  /** Further values that its owner gives to algorithms, for example credentials. */
  env: Record<string, string>;
  /** What the task asks of it: `query`, `sheet_name`, `preprocessing`. */
  request: Record<string, unknown>;
}

export interface EnvironmentOptions {
  /** The folder with `input`, `output` and `token`, as the container sees it. */
  folder: string;
  temporaryFolder: string;
  proxy: { host: string; port: number };
  /**
   * The databases that the task asks for, in its order; no other is named with more than its label.
   */
  databases: readonly ContainerDatabase[];
  /** Labels of all databases of the node. */
  labels: readonly string[];
  /** The proxy to the web, and the hosts that are not behind it. */
  web?: { proxy: { host: string; port: number }; except: readonly string[] };
  /** Path of the run context, if there is one. */
  runContextFile?: string;
  /** The owner's own variables, which win. */
  extra: Readonly<Record<string, string>>;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A variable that cannot be set. The message is for the researcher. */
export class EnvironmentError extends Error {
  override name = "EnvironmentError";
}

/**
 * The variables as the engine takes them, `NAME=value`. Throws an {@linkcode EnvironmentError} for
 * a name that is none.
 */
export function buildEnvironment(
  { folder, temporaryFolder, proxy, databases, labels, web, runContextFile, extra }:
    EnvironmentOptions,
): string[] {
  const variables: Record<string, string> = {
    INPUT_FILE: `${folder}/input`,
    OUTPUT_FILE: `${folder}/output`,
    TOKEN_FILE: `${folder}/token`,
    TEMPORARY_FOLDER: temporaryFolder,
    HOST: proxy.host,
    PORT: String(proxy.port),
    // It must exist, though there is nothing in it.
    API_PATH: "",
    USER_REQUESTED_DATABASE_LABELS: databases.map(({ label }) => label).join(","),
    DB_LABELS: labels.join(","),
  };
  for (const { label, type, uri, env, request } of databases) {
    const prefix = label.toUpperCase();
    variables[`${prefix}_DATABASE_URI`] = uri;
    variables[`${prefix}_DATABASE_TYPE`] = type;
    for (const [key, value] of Object.entries(env)) {
      variables[`${prefix}_DB_PARAM_${key.toUpperCase()}`] = value;
    }
    const { query, sheet_name, preprocessing } = request;
    if (query) variables[`${prefix}_QUERY`] = String(query);
    if (sheet_name) variables[`${prefix}_SHEET_NAME`] = String(sheet_name);
    if (preprocessing) variables[`${prefix}_PREPROCESSING`] = JSON.stringify(preprocessing);
  }
  if (web) {
    const url = `http://${web.proxy.host}:${web.proxy.port}`;
    const own = new URL(proxy.host).hostname;
    const direct = [...new Set(["localhost", own, ...web.except])].join(", ");
    for (const [name, value] of [["http", url], ["https", url], ["no", direct]] as const) {
      variables[`${name}_proxy`] = value;
      variables[`${name.toUpperCase()}_PROXY`] = value;
    }
  }
  Object.assign(variables, extra);
  const encoded = Object.entries(variables).map(([name, value]) => {
    if (!NAME.test(name)) {
      throw new EnvironmentError(
        `A container cannot be given the variable ${name}: a database's label must be made of letters, digits and _.`,
      );
    }
    return `${name}=${encodeValue(value)}`;
  });
  // v6's one exception: it is not encoded, and means the same to whoever decodes it nevertheless.
  return runContextFile ? [...encoded, `RUN_CONTEXT_FILE=${runContextFile}`] : encoded;
}
