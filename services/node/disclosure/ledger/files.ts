/**
 * The ledger on the disk: a folder for each database with its entries, a line each, and beside them
 * the selections, each under its digest. The agent alone writes it; an owner who wants a ledger
 * cleared leaves a note, which the agent obeys.
 * @module
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { dirname, join } from "node:path";
import { z } from "zod";
import { createTurns } from "../../../../shared/service/turns.ts";
import { openNew, writeAll } from "../../payload/pieces.ts";
import { giveToOwnerOf, syncFolder } from "../../record/data_folder.ts";
import type { Selection } from "./selection.ts";

const text = z.string();
const entrySchema = z.object({
  /** ISO 8601. */
  at: text,
  /** The database as node.yaml names it. */
  label: text,
  task_id: z.number(),
  result_id: z.number(),
  user_id: z.number(),
  organization_id: z.number(),
  image: text,
  unit: z.enum(["persons", "rows", "counted"]),
  /** On how many persons it rests. */
  persons: z.number(),
  digest: text,
  /** Bytes that its selection takes on the disk. */
  bytes: z.number(),
});
/** A selection on which something rests that has left, and what that was at first. */
export type LedgerEntry = z.infer<typeof entrySchema>;

const clearSchema = z.object({
  /** Of one database; of all where it is null. */
  database: z.object({ key: text, label: text }).nullable(),
  reason: text,
  by: text,
  at: text,
});
/** An owner's wish. */
export type Clear = z.infer<typeof clearSchema>;

export const ledgerFolder = (dataFolder: string) => join(dataFolder, "ledger");
const entriesPath = (folder: string) => join(folder, "entries");
const selectionPath = (folder: string, digest: string) => join(folder, `${digest}.selection`);

/**
 * The entries of one database; a line that a crash has torn is none, and is cut off by who writes.
 */
export async function readEntries(
  folder: string,
  { mend = false } = {},
): Promise<LedgerEntry[]> {
  const content = await Deno.readTextFile(entriesPath(folder)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  const lines = content.split("\n");
  if (lines.pop() !== "" && mend) await Deno.truncate(entriesPath(folder), whole(content));
  return lines.map((line) => entrySchema.parse(JSON.parse(line)));
}

function whole(content: string): number {
  return new TextEncoder().encode(content.slice(0, content.lastIndexOf("\n") + 1)).length;
}

/** A selection made small; its length is what an entry says in `bytes`. */
export function packed({ bytes }: Pick<Selection, "bytes">): Uint8Array {
  return deflateRawSync(bytes, { level: 1 });
}

/** A process may have no more than about a thousand files open. */
const WRITTEN_AT_ONCE = 128;

/** Writes entries with their selections, durably: a selection is there before its entry is. */
export async function addEntries(
  folder: string,
  entries: readonly { entry: LedgerEntry; content: Uint8Array }[],
): Promise<void> {
  // Many at once: so the disk writes them down together.
  const inTurn = createTurns(WRITTEN_AT_ONCE);
  await Promise.all(entries.map(({ entry, content }) =>
    inTurn(async () => {
      using file = await openNew(selectionPath(folder, entry.digest));
      await writeAll(file, content);
      await file.sync();
    })
  ));
  await syncFolder(folder);
  using file = await Deno.open(entriesPath(folder), { append: true, create: true, mode: 0o600 });
  const lines = entries.map(({ entry }) => `${JSON.stringify(entry)}\n`).join("");
  await writeAll(file, new TextEncoder().encode(lines));
  await file.sync();
  await syncFolder(folder);
}

/** The selection of an entry. */
export async function readBytes(
  folder: string,
  { digest }: Pick<LedgerEntry, "digest">,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(inflateRawSync(await Deno.readFile(selectionPath(folder, digest))));
}

/** The folders of databases that there are. */
export async function databaseKeys(folder: string): Promise<string[]> {
  const found = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  return found.filter(({ isDirectory }) => isDirectory).map(({ name }) => name).sort();
}

/** Leaves a wish for the agent. */
export async function askToClear(folder: string, clear: Clear): Promise<void> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await giveToOwnerOf(dirname(folder), folder);
  const path = join(folder, `clear-${crypto.randomUUID()}`);
  await Deno.writeTextFile(`${path}.new`, JSON.stringify(clear), { mode: 0o600 });
  await giveToOwnerOf(folder, `${path}.new`);
  {
    using file = await Deno.open(`${path}.new`);
    await file.sync();
  }
  await Deno.rename(`${path}.new`, `${path}.json`);
  await syncFolder(folder);
}

/** The wishes that the agent has not obeyed yet. */
export async function readClears(folder: string): Promise<{ path: string; clear: Clear }[]> {
  const found: { path: string; clear: Clear }[] = [];
  for (const { name } of await Array.fromAsync(Deno.readDir(folder))) {
    if (!/^clear-.*\.json$/.test(name)) continue;
    const path = join(folder, name);
    found.push({ path, clear: clearSchema.parse(JSON.parse(await Deno.readTextFile(path))) });
  }
  return found;
}
