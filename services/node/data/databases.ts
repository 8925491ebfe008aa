/**
 * The databases of a node: what its configuration names, what the sandbox can read of it, and the
 * columns.
 * @module
 */
import { join } from "node:path";
import type { Target } from "../container/network/routes.ts";
import { readHead } from "../record/folder.ts";
import { CannotStart } from "../run/cannot_start.ts";
import { parseCsv } from "./csv.ts";
import { TableError } from "./table.ts";

export const DATABASE_TYPES = [
  "csv",
  "parquet",
  "excel",
  "sql",
  "sparql",
  "omop",
  "folder",
  "other",
] as const;
export type DatabaseType = typeof DATABASE_TYPES[number];

/** One database as it is configured. */
export interface NodeDatabase {
  label: string;
  type: DatabaseType;
  /** Absolute path, where it is a file or a folder of this machine. */
  path?: string | undefined;
  /** Otherwise its address, for containers. */
  uri?: string | undefined;
  /** Parameters for containers. */
  env?: Record<string, string> | undefined;
  /**
   * How a file is handed to containers, in any case to be read only; see `container/run_folder.ts`.
   */
  mountMode?: "ro" | "copy" | undefined;
  /** What a container that asks for it may connect to. */
  reach: Target[];
}

/** A file of the data station that a run in the sandbox may read. */
export interface SandboxDatabase {
  /** The name that the algorithm knows it by. */
  label: string;
  type: "csv";
  /** Absolute path of a regular file. */
  path: string;
}

/** Types that are always a file or a folder. */
export const IN_FILES: readonly DatabaseType[] = ["csv", "parquet", "excel", "folder"];

/**
 * The databases that a dispatch asks for, in its order. Throws a {@linkcode CannotStart} for one
 * that is not here.
 */
export function chooseDatabases<Database extends { label: string }>(
  { databases: wanted }: { databases: readonly { label: string }[] },
  databases: readonly Database[],
): Database[] {
  return wanted.map(({ label }) => {
    const found = databases.find((database) => database.label === label);
    if (found) return found;
    const known = databases.map((database) => database.label).join(", ") || "none";
    throw new CannotStart(`This node has no database "${label}"; it has ${known}.`);
  });
}

/** Readies databases for the sandbox. Throws a {@linkcode CannotStart} for what it cannot read. */
export async function forSandbox(
  databases: readonly NodeDatabase[],
  dataFolder: string,
): Promise<SandboxDatabase[]> {
  return await Promise.all(databases.map(async ({ label, type, path }) => {
    if (type === "csv" && path) return { label, type, path };
    if (type !== "parquet" || !path) {
      throw new CannotStart(
        `The database "${label}" is of the type ${type}, which algorithms in the sandbox cannot read: ` +
          "they read csv and parquet. An algorithm in a container image can.",
      );
    }
    // Loaded by those nodes alone that have such a file.
    const { tableOfParquet } = await import("./parquet.ts");
    try {
      const table = await tableOfParquet(label, path, join(dataFolder, "tables"));
      return { label, type: "csv" as const, path: table };
    } catch (error) {
      throw error instanceof TableError ? new CannotStart(error.message) : error;
    }
  }));
}

/** The names of a database's columns, where that can be told without a program of its own. */
export async function columnsOf({ type, path }: NodeDatabase): Promise<string[] | undefined> {
  if (!path) return undefined;
  try {
    if (type === "csv") return parseCsv(await readHead(path)).names;
    if (type !== "parquet") return undefined;
    const { parquetColumns } = await import("./parquet.ts");
    return await parquetColumns(path);
  } catch {
    // What is wrong with the file shows when it is used.
    return undefined;
  }
}
