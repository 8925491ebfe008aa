/**
 * The ledger of what left: per database on which persons each released result rested, so that none
 * leaves that differs from an earlier one by a few of them: the two together would tell of those
 * few. It outlives restarts, and does not ask who the user is: several can be one.
 *
 * A new selection is compared with each earlier one, and with what follows from several of them
 * together (`together.ts`).
 * @module
 */
import { join } from "node:path";
import type { Logger } from "../../../../shared/service/log.ts";
import { createPauses } from "../../../../shared/service/pauses.ts";
import { createTurns } from "../../../../shared/service/turns.ts";
import type { AuditLog } from "../../record/audit_log.ts";
import {
  createOwnOfRun,
  createSketches,
  isTooClose,
  type Sketches,
  tellsOfFew,
} from "./compare.ts";
import {
  addEntries,
  type Clear,
  databaseKeys,
  type LedgerEntry,
  ledgerFolder,
  packed,
  readBytes,
  readClears,
  readEntries,
} from "./files.ts";
import { openPersonNumbers, type PersonNumbers } from "./persons.ts";
import type { Selection, Unit } from "./selection.ts";
import { createTogether, type Together } from "./together.ts";

/** What is to leave. */
export interface Release {
  /** What rests on it, as far as an entry says it. */
  about: Pick<
    LedgerEntry,
    "task_id" | "result_id" | "user_id" | "organization_id" | "image"
  >;
  /** By database: its key, its label, and the selections of it. */
  databases: { key: string; label: string; selections: Selection[] }[];
  /** The fewest persons in which two selections may differ, unless they are the same. */
  least: number;
}

/**
 * `differs`: too little from an earlier one. `full`: no more can be remembered. `many`: no more of
 * one result.
 */
export type Verdict = "allowed" | "differs" | "full" | "many";

export interface Ledger {
  /**
   * Whether a result may leave; it is remembered as one that did when this says so. One decision is
   * made after the other, so that of two results that end at once the second is compared with the
   * first. The selections of one run are not compared with one another: what leaves together is the
   * exit's, or the guarded table's, to look at.
   */
  decide(release: Release): Promise<Verdict>;
  /** Numbers for the persons of a database. */
  personsOf(key: string): Promise<PersonNumbers>;
}

/** Of one database: beyond this nothing new leaves until its owner clears it. */
const MOST_ENTRIES = 50_000;
const MOST_BYTES = 2 ** 30;
/** What one result may take of it: else one question could end what all others ask. */
const SHARE_OF_RESULT = 1 / 10;
/** Of it the owner is told. */
const NEARLY_FULL = 0.8;

export interface OpenLedgerOptions {
  dataFolder: string;
  audit: Pick<AuditLog, "record">;
  log: Logger;
  mostEntries?: number;
  mostBytes?: number;
  now?: () => Date;
}

/** Opens the ledger, and obeys what the owner has asked for while no agent ran. */
export async function openLedger(
  {
    dataFolder,
    audit,
    log,
    mostEntries = MOST_ENTRIES,
    mostBytes = MOST_BYTES,
    now = () => new Date(),
  }: OpenLedgerOptions,
): Promise<Ledger> {
  const folder = ledgerFolder(dataFolder);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const inTurn = createTurns(1);
  const persons = new Map<string, Promise<PersonNumbers>>();
  const { folderOf, knownOf, togetherOf, obeyClears } = openKnown({ folder, audit, log });
  await obeyClears();

  async function decide(release: Release): Promise<Verdict> {
    await obeyClears();
    const forgets: (() => void)[] = [];
    const verdict = await consider(release, forgets).catch((error) => {
      for (const forget of forgets) forget();
      throw error;
    });
    if (verdict !== "allowed") { for (const forget of forgets) forget(); }
    return verdict;
  }

  /** `forgets` gets what is to be called if nothing leaves. */
  async function consider(
    { about, databases, least }: Release,
    forgets: (() => void)[],
  ): Promise<Verdict> {
    const fresh: { key: string; added: { entry: LedgerEntry; content: Uint8Array }[] }[] = [];
    // A run may tell of a thousand groups of a million rows.
    const pause = createPauses();
    for (const { key, label, selections } of databases) {
      const { entries, digests, bytes: onDisk, sketches } = await knownOf(key);
      const added: { entry: LedgerEntry; content: Uint8Array }[] = [];
      const earlier = { entries, folder: join(folder, key), least, resultId: about.result_id };
      const own = createOwnOfRun(selections, earlier);
      const together = new Set(selections.map(({ digest }) => digest));
      // Before anything is compared: ten thousand groups take long.
      const unknown = selections.filter((one) => one.persons >= least && !digests.has(one.digest));
      const more = new Set(unknown.map(({ digest }) => digest)).size;
      // A guarded table tells of its groups one after the other.
      const before = entries.filter(({ result_id }) => result_id === about.result_id).length;
      const most = Math.max(1, mostEntries * SHARE_OF_RESULT);
      if (more > 0 && before + more > most) return "many";
      if (more > 0 && entries.length + more > mostEntries) return "full";
      const seen = new Set<string>();
      for (const [i, one] of selections.entries()) {
        await pause();
        // Of so few nothing was told; kept, it would make what tells of them seem known already.
        if (one.persons < least) continue;
        if (seen.has(one.digest)) continue;
        const isKnown = digests.has(one.digest);
        // What was told of the same rows before may have been told beside that of nearly the same
        // rows, in one result. In another one that stands alone they are to be kept apart.
        const others = isKnown ? entries.filter(({ digest }) => !together.has(digest)) : entries;
        if (await isTooClose(one, { ...earlier, entries: others }, { sketches, pause })) {
          return "differs";
        }
        if (isKnown) continue;
        seen.add(one.digest);
        // Once: those of many groups are made anew each time.
        const rows = { bytes: one.bytes };
        if (one.unit !== "counted") {
          const all = await togetherOf(key, one.unit, least);
          if (await tellsOfFew(rows, all, () => own(one.unit, i))) return "differs";
          forgets.unshift(all.mark());
          all.add(rows);
        }
        const content = packed(rows);
        const { unit, persons, digest } = one;
        const at = now().toISOString();
        const entry = { at, label, ...about, unit, persons, digest, bytes: content.length };
        added.push({ entry, content });
      }
      const bytes = added.reduce((sum, { entry }) => sum + entry.bytes, 0);
      if (bytes > 0 && onDisk + bytes > mostBytes) return "full";
      if (added.length > 0) fresh.push({ key, added });
    }
    // Before anything leaves: what is remembered and did not leave costs little.
    for (const { key, added } of fresh) {
      await addEntries(await folderOf(key), added);
      const known = await knownOf(key);
      for (const { entry } of added) know(known, entry);
      const { length } = known.entries;
      if (length < NEARLY_FULL * mostEntries || known.isOwnerTold) continue;
      known.isOwnerTold = true;
      log.warn(
        "The ledger of what left is nearly full; then only what rests on known rows leaves",
        {
          database: added[0]!.entry.label,
          selections: length,
          most: mostEntries,
          do: "clear it when the data are new, or ask for fewer groups: deno task node ledger",
        },
      );
    }
    return "allowed";
  }

  return {
    decide: (release) => inTurn(() => decide(release)),
    personsOf: (key) =>
      once(persons, key, async () => openPersonNumbers(await folderOf(key), "persons")),
  };
}

/** What is remembered, by database; and what the owner has asked to be cleared. */
function openKnown(
  { folder, audit, log }: { folder: string } & Pick<OpenLedgerOptions, "audit" | "log">,
) {
  /** By database, read when it is first needed. */
  const known = new Map<string, Promise<Known>>();
  /** By database, unit and least number. */
  const together = new Map<string, Promise<Together>>();

  async function folderOf(key: string): Promise<string> {
    const path = join(folder, key);
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
    return path;
  }

  function knownOf(key: string): Promise<Known> {
    return once(known, key, async () => {
      const sketches = createSketches(join(folder, key));
      const found: Known = {
        entries: [],
        digests: new Set(),
        bytes: 0,
        sketches,
        isOwnerTold: false,
      };
      for (const entry of await readEntries(await folderOf(key), { mend: true })) {
        know(found, entry);
      }
      return found;
    });
  }

  function togetherOf(key: string, unit: Unit, least: number): Promise<Together> {
    return once(together, `${key} ${unit} ${least}`, async () => {
      const all = createTogether(least);
      const pause = createPauses();
      for (const entry of (await knownOf(key)).entries) {
        if (entry.unit !== unit) continue;
        if (!all.add({ bytes: await readBytes(join(folder, key), entry) })) break;
        await pause();
      }
      return all;
    });
  }

  async function obeyClears(): Promise<void> {
    for (const { path, clear } of await readClears(folder)) {
      const keys = clear.database ? [clear.database.key] : await databaseKeys(folder);
      let entries = 0;
      for (const key of keys) {
        entries += (await knownOf(key)).entries.length;
        known.delete(key);
        for (const name of together.keys()) if (name.startsWith(key)) together.delete(name);
        // The persons keep their numbers: runs that are under way have them.
        await removeEntries(join(folder, key));
      }
      await audit.record("ledger cleared", auditOf(clear, entries));
      await Deno.remove(path);
      log.info("The ledger was cleared", { database: clear.database?.label ?? "all", entries });
    }
  }

  return { folderOf, knownOf, togetherOf, obeyClears };
}

/** The entries of one database, and what is asked of them again and again. */
interface Known {
  entries: LedgerEntry[];
  digests: Set<string>;
  /** That their selections take on the disk. */
  bytes: number;
  sketches: Sketches;
  /** That it is nearly full. */
  isOwnerTold: boolean;
}

function know(known: Known, entry: LedgerEntry): void {
  known.entries.push(entry);
  known.digests.add(entry.digest);
  known.bytes += entry.bytes;
}

/** Removes the entries, then their selections, which mean nothing without them. */
async function removeEntries(folder: string): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(folder)).catch(() => []))
    .map(({ name }) => name);
  if (names.includes("entries")) await Deno.remove(join(folder, "entries"));
  for (const name of names) {
    if (name.endsWith(".selection")) await Deno.remove(join(folder, name));
  }
}

function auditOf({ database, reason, by, at }: Clear, entries: number): Record<string, unknown> {
  return { database: database?.label ?? null, entries, reason, by, asked_at: at };
}

/** What `make` makes for a key, once; a failure is tried again. */
function once<Value>(
  made: Map<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  const found = made.get(key) ?? make().catch((error) => {
    made.delete(key);
    throw error;
  });
  made.set(key, found);
  return found;
}
