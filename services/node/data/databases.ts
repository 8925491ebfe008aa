/**
 * The databases of a node: what its configuration names, what the sandbox can read of it, and the
 * columns.
 * @module
 */
import type { Target } from "../container/network/routes.ts";
import { CannotStart } from "../run/cannot_start.ts";
import { DataError } from "./error.ts";
import { DEFAULT_READ, type ReadOptions } from "./options.ts";
import { isPostgres, withLogin } from "./postgres_address.ts";
import { readRequest } from "./request.ts";
import type { Source, Tables } from "./tables.ts";
import type { DatabaseType } from "./types.ts";

/** One database as it is configured. */
export interface NodeDatabase {
  label: string;
  type: DatabaseType;
  /** Absolute path, where it is a file or a folder of this machine. */
  path?: string | undefined;
  /** Otherwise its address, for containers. */
  uri?: string | undefined;
  /** How its file is to be read. */
  read?: ReadOptions | undefined;
  /** Parameters for containers. */
  env?: Record<string, string> | undefined;
  /**
   * How a file is handed to containers, in any case to be read only; see `container/run_folder.ts`.
   */
  mountMode?: "ro" | "copy" | undefined;
  /** What a container that asks for it may connect to. */
  reach: Target[];
}

/** Types that are always a file or a folder. */
export const IN_FILES: readonly DatabaseType[] = ["csv", "parquet", "excel", "folder"];

/** A database that a run may read, by the name the algorithm knows it by. */
export interface SandboxDatabase {
  label: string;
  type: "columns";
  /** Absolute path of a regular file of typed columns (`columns_file.ts`). */
  path: string;
}

/** A database that a task asks for, with what it asks of it, in v6's words. */
export interface WantedDatabase {
  database: NodeDatabase;
  wanted: Record<string, unknown>;
}

/**
 * The databases that a dispatch asks for, in its order. Throws a {@linkcode CannotStart} for one
 * that is not here.
 */
export function wantedDatabases(
  { databases: wanted }: { databases: readonly ({ label: string } & Record<string, unknown>)[] },
  databases: readonly NodeDatabase[],
): WantedDatabase[] {
  return wanted.map(({ label, ...asked }) => {
    const database = databases.find((one) => one.label === label);
    if (database) return { database, wanted: asked };
    const known = databases.map((one) => one.label).join(", ") || "none";
    throw new CannotStart(`This node has no database "${label}"; it has ${known}.`);
  });
}

/** The longest time that a timer can wait, in milliseconds: 24 days. */
const MAX_TIMER = 2 ** 31 - 1;

/**
 * Readies databases for the sandbox. Throws a {@linkcode CannotStart} for what it cannot read as it
 * is asked to, or not in `timeoutSeconds`, and the reason of the signal when that is aborted.
 */
export async function forSandbox(
  databases: readonly WantedDatabase[],
  tables: Pick<Tables, "read">,
  { timeoutSeconds, signal }: { timeoutSeconds: number; signal: AbortSignal },
): Promise<SandboxDatabase[]> {
  return await Promise.all(databases.map(async ({ database, wanted }) => {
    const { label, type } = database;
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort(
        new CannotStart(
          `To read the database "${label}" took longer than the ${timeoutSeconds} seconds that ` +
            "this node gives a run.",
        ),
      );
    }, Math.min(MAX_TIMER, timeoutSeconds * 1000));
    try {
      const source = sourceOf(database);
      const either = AbortSignal.any([signal, late.signal]);
      const path = await tables.read(source, readRequest(type, wanted), either);
      return { label, type: "columns" as const, path };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      throw new CannotStart(`The database "${label}" cannot be used. ${error.message}`);
    } finally {
      clearTimeout(timer);
    }
  }));
}

/** What the sandbox reads of a database. Throws a {@linkcode DataError} where it reads nothing. */
export function sourceOf({ type, path, uri, env, read }: NodeDatabase): Source {
  const options = read ?? DEFAULT_READ;
  if ((type === "csv" || type === "parquet" || type === "excel") && path) {
    return { type, path, options };
  }
  if (type === "sql" && uri && isPostgres(uri)) {
    return { type: "postgres", path: withLogin(uri, env), options };
  }
  const file = type === "sql" && (path ?? /^sqlite:\/\/\/(.+)$/i.exec(uri ?? "")?.[1]);
  if (file) return { type: "sqlite", path: file, options };
  const kind = type === "sql" ? /^[a-z0-9]+/i.exec(uri ?? "")?.[0] : undefined;
  const there = kind ? `from ${kind}` : "here";
  throw new DataError(
    `It is of the type ${type}, which algorithms in the sandbox cannot read ${there}: they read csv, parquet, ` +
      "excel, and sql from PostgreSQL and from an SQLite file. An algorithm in a container image can.",
  );
}

/**
 * The names of a database's columns that may be told to the hub: none where the first line may be
 * data, for then it names persons or what they have.
 */
export async function columnsOf(
  database: NodeDatabase,
  tables: Tables,
): Promise<string[] | undefined> {
  // What it has, is what each task's query asks for.
  if (database.type === "sql") return undefined;
  try {
    const { columns, csv } = await tables.describe(sourceOf(database));
    return csv?.doubtfulHeader ? undefined : columns.map(({ name }) => name);
  } catch (error) {
    // What is wrong with it shows when it is used, and in `node check`.
    if (error instanceof DataError) return undefined;
    throw error;
  }
}
