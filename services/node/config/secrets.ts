/**
 * The node's two secrets, each in node.yaml or a file that it names, or in a variable.
 * @module
 */
import { dirname, resolve } from "node:path";
import { parse } from "yaml";
import { demandPrivate, isOpenToAll } from "../../../shared/service/private_file.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { readPrivateKey } from "../encryption/keys.ts";
import type { AbsolutePath } from "./option_types.ts";

/** The variable that may hold the API key instead of the file. */
export const API_KEY_VARIABLE = "SEXTANT_NODE_API_KEY";
/**
 * The variable that may hold the text of the private key instead of the file that
 * `encryption.private_key` names.
 */
export const PRIVATE_KEY_VARIABLE = "SEXTANT_NODE_PRIVATE_KEY";

export interface ReadSecretOptions {
  env: Record<string, string | undefined>;
  absolute: AbsolutePath;
  /** Gets a line for each thing that is wrong. */
  problems: string[];
}

/**
 * The file with the API key, node.yaml or the one that it names, when everybody on this machine can
 * read it. That is for a warning: as secrets of Docker and Kubernetes such files are open by
 * default, where nobody else is on the machine.
 */
export function openApiKeyFile(path: string): string | undefined {
  const text = Deno.readTextFileSync(path);
  if (/^\s*api_key:/m.test(text)) return isOpenToAll(path) ? path : undefined;
  const named: unknown = parse(text)?.api_key_file;
  if (typeof named !== "string") return undefined;
  const file = resolve(dirname(path), named);
  return isOpenToAll(file) ? file : undefined;
}

/** The API key; empty when there is a problem with it. */
export async function readApiKey(
  { api_key, api_key_file }: { api_key?: string | undefined; api_key_file?: string | undefined },
  { env, absolute, problems }: ReadSecretOptions,
): Promise<string> {
  const sources: Record<string, string | undefined> = {
    api_key,
    api_key_file,
    [`the variable ${API_KEY_VARIABLE}`]: env[API_KEY_VARIABLE] || undefined,
  };
  const given = Object.keys(sources).filter((name) => sources[name] !== undefined);
  if (given.length > 1) {
    problems.push(`the API key is given twice, by ${given.join(" and ")}; keep one`);
    return "";
  }
  if (given.length === 0) {
    problems.push(
      `api_key is missing; give it, api_key_file or the variable ${API_KEY_VARIABLE}`,
    );
    return "";
  }
  if (api_key_file === undefined) return sources[given[0]!]!;
  const path = absolute(api_key_file);
  try {
    const key = (await Deno.readTextFile(path)).trim();
    if (!key) problems.push(`api_key_file is empty: ${path}`);
    return key;
  } catch (error) {
    problems.push(`api_key_file cannot be read: ${messageOf(error)}`);
    return "";
  }
}

/**
 * The text of the organization's private key, which has been checked; `undefined` without
 * encryption and when there is a problem with it.
 */
export async function readPrivateKeyText(
  { enabled, private_key }: { enabled: boolean; private_key?: string | undefined },
  { env, absolute, problems }: ReadSecretOptions,
): Promise<string | undefined> {
  if (!enabled) return undefined;
  const inVariable = env[PRIVATE_KEY_VARIABLE] || undefined;
  const sources = `encryption.private_key or the variable ${PRIVATE_KEY_VARIABLE}`;
  if (private_key && inVariable) {
    problems.push(`the private key is given twice, by ${sources}; keep one`);
    return undefined;
  }
  if (!private_key && !inVariable) {
    problems.push(
      `encryption.private_key is missing: give ${sources}; deno task node keygen makes a key`,
    );
    return undefined;
  }
  try {
    const pem = inVariable ?? await Deno.readTextFile(absolute(private_key!));
    readPrivateKey(pem);
    if (inVariable === undefined) demandPrivate(absolute(private_key!));
    return pem;
  } catch (error) {
    const source = inVariable ? `the variable ${PRIVATE_KEY_VARIABLE}` : "encryption.private_key";
    problems.push(`${source} cannot be used: ${messageOf(error)}`);
    return undefined;
  }
}
