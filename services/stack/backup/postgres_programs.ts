/**
 * `pg_dump` and `pg_restore`: which ones, and their output and input as streams.
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";
import { debianFolders } from "../postgres_binaries.ts";
import { isExecutable } from "../process.ts";

/**
 * The folder with `pg_dump` and `pg_restore`: that of the server's programs, else
 * `SEXTANT_POSTGRES_BIN`, the newest of Debian's, or PATH. Throws when there is none.
 */
export function findDumpPrograms(
  serverFolder: string | undefined,
  env: Record<string, string | undefined> = Deno.env.toObject(),
): string {
  const onPath = (env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const found = [serverFolder, env.SEXTANT_POSTGRES_BIN, ...debianFolders(), ...onPath].find((
    folder,
  ) => folder && ["pg_dump", "pg_restore"].every((name) => isExecutable(join(folder, name))));
  if (found) return found;
  throw new Error(
    "Cannot find pg_dump and pg_restore. Install PostgreSQL's client programs of the server's version " +
      "or later (postgresql-client), or set SEXTANT_POSTGRES_BIN to the folder with both.",
  );
}

/** How libpq is told of a database: the password stands in no list of processes. */
function connectionOf(url: string): Record<string, string> {
  const parsed = new URL(url.replace("@/", "@localhost/"));
  const hosts = parsed.searchParams.get("host") ?? parsed.hostname;
  return {
    PGHOST: hosts,
    ...hosts.includes(",") ? { PGTARGETSESSIONATTRS: "read-write" } : {},
    PGPORT: parsed.searchParams.get("port") ?? (parsed.port || "5432"),
    PGDATABASE: decodeURIComponent(parsed.pathname.slice(1)),
    PGUSER: decodeURIComponent(parsed.username),
    PGPASSWORD: decodeURIComponent(parsed.password),
    LC_ALL: "C",
  };
}

export interface Dump {
  content: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Rejects, with what the program said, when it did not come to its end. */
  ended: Promise<void>;
}

/** Dumps the database at `url` as it is at this moment, while others go on writing to it. */
export function dumpDatabase(folder: string, url: string): Dump {
  const child = new Deno.Command(join(folder, "pg_dump"), {
    // A migration that holds a table for longer is one that went wrong.
    args: ["--format=custom", "--no-password", "--lock-wait-timeout=300s"],
    env: connectionOf(url),
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const ended = endOf("pg_dump", child.status, new Response(child.stderr).text());
  ended.catch(() => {}); // whoever reads the content looks at it then
  return { content: child.stdout, ended };
}

/** Restores a dump into the database at `url`: all of it, in one transaction, or nothing. */
export async function restoreDump(
  folder: string,
  url: string,
  pieces: (take: (piece: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const connection = connectionOf(url);
  const child = new Deno.Command(join(folder, "pg_restore"), {
    args: [
      ...["--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-password"],
      `--dbname=${connection.PGDATABASE}`,
    ],
    env: connection,
    clearEnv: true,
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const ended = endOf("pg_restore", child.status, new Response(child.stderr).text());
  ended.catch(() => {});
  const writer = child.stdin.getWriter();
  try {
    await pieces((piece) => writer.write(piece));
    await writer.close();
  } catch (error) {
    // It has ended by itself, and says why.
    if (error instanceof Deno.errors.BrokenPipe) await ended;
    try {
      child.kill("SIGKILL");
    } catch {
      // It has gone.
    }
    throw error;
  }
  await ended;
}

async function endOf(
  program: string,
  status: Promise<Deno.CommandStatus>,
  words: Promise<string>,
): Promise<void> {
  const { success, code } = await status;
  const said = (await words.catch(messageOf)).trim();
  if (success) return;
  throw new Error(`${program} ended with exit code ${code}${said ? `: ${said}` : ""}`);
}
