/**
 * The section `databases` of node.yaml.
 * @module
 */
import { z } from "zod";
import { LOOPBACK } from "../container/network/routes.ts";
import { addressesOf } from "../data/address.ts";
import { IN_FILES, type NodeDatabase } from "../data/databases.ts";
import { readOptions } from "../data/options.ts";
import { DATABASE_TYPES } from "../data/types.ts";
import { type AbsolutePath, listOf, option, target, variables } from "./option_types.ts";

const database = z.strictObject({
  label: option.regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1-64 letters, digits, _ or -"),
  uri: option,
  type: z.enum(DATABASE_TYPES, `must be one of ${DATABASE_TYPES.join(", ")}`),
  env: variables().optional(),
  reach: listOf(target).optional(),
  mount_mode: z.enum(["ro", "copy"], "must be ro or copy").optional(),
  read: readOptions.optional(),
});

export const databasesSection = z.array(database).default([]);

/** A database as the rest of the node knows it: a file or a folder, or else an address. */
export async function databaseOf(
  { label, type, uri, env, read, reach: given, mount_mode: mode }: z.infer<typeof database>,
  absolute: AbsolutePath,
): Promise<NodeDatabase> {
  const about = {
    label,
    type,
    reach: given ?? [],
    ...(env ? { env } : {}),
    ...(read ? { read } : {}),
    ...(mode ? { mountMode: mode } : {}),
  };
  const path = absolute(uri);
  if (IN_FILES.includes(type)) return { ...about, path };
  // What else it is only its type's programs know; a file or a folder must be handed in, though.
  const hasScheme = /^[a-z][a-z0-9+.-]*:/i.test(uri);
  if (!hasScheme && await exists(path)) return { ...about, path };
  return { ...about, uri, reach: given ?? addressesOf({ type, uri, env }) };
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}

/** What is wrong with the databases, beyond what the schema can see. */
export async function problemsOfDatabases(databases: readonly NodeDatabase[]): Promise<string[]> {
  const problems: string[] = [];
  const labels = new Map<string, string>();
  for (const { label, type, path, read, reach } of databases) {
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
    const problem = path && await problemOfPath(type, path);
    if (problem) problems.push(`databases: ${label} ${problem}`);
  }
  return problems;
}

async function problemOfPath(
  type: NodeDatabase["type"],
  path: string,
): Promise<string | undefined> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (type === "folder") {
    return info?.isDirectory ? undefined : `is not a folder that can be read: ${path}`;
  }
  if (!IN_FILES.includes(type) || info?.isFile) return undefined;
  return `is not a file that can be read: ${path}`;
}
