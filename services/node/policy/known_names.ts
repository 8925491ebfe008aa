/**
 * Whose the names in `policies.allowed_users` and `policies.allowed_organizations` are. A name can
 * be given up and taken by somebody else, or be given to somebody else by whoever administers the
 * hub; an id cannot. So the first one who comes under a listed name stays the only one whom it lets
 * in, until the owner says otherwise: by writing the id, or by `deno task node accept-name`.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import type { Logger } from "../../../shared/service/log.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import type { AuditLog } from "../record/audit_log.ts";
import { replaceFile } from "../record/data_folder.ts";
import type { Caller, Policy } from "./policy.ts";

/** The file in the node's data folder that the agent writes. */
export const KNOWN_NAMES_FILE = "known_names.json";
/** The file beside it that `accept-name` writes, so that neither undoes what the other does. */
export const ACCEPTED_NAMES_FILE = "accepted_names.json";

export const KINDS_OF_NAMES = ["user", "organization"] as const;
export type KindOfName = typeof KINDS_OF_NAMES[number];

/** Ids by names. A map, because a name may be one that every object has. */
type Names = Record<KindOfName, Map<string, number>>;

const namesSchema = z.array(z.tuple([z.string(), z.number().int()]))
  .default([]).transform((pairs) => new Map(pairs));
const fileSchema = z.strictObject({ user: namesSchema, organization: namesSchema });

export interface KnownNames {
  /**
   * The same caller, with the one whose the name is where that is somebody else. A listed name that
   * nobody has come under yet is noted as the caller's.
   */
  look(kind: KindOfName, caller: Caller): Promise<Caller>;
}

export interface KnownNamesOptions {
  folder: string;
  policy: Pick<Policy, "allowedUsers" | "allowedOrganizations">;
  audit: Pick<AuditLog, "record">;
  log: Logger;
}

/** Reads whose the names were before. Throws when the file is there and cannot be read. */
export async function openKnownNames(
  { folder, policy, audit, log }: KnownNamesOptions,
): Promise<KnownNames> {
  const known = await readNames(join(folder, KNOWN_NAMES_FILE));
  const inTurn = createTurns(1);

  async function keep(kind: KindOfName, name: string, id: number): Promise<void> {
    const before = known[kind].get(name);
    const about = { kind, name, id };
    if (before === undefined) await audit.record("listed name seen", about);
    else await audit.record("listed name accepted", { ...about, before });
    log.info(
      before === undefined
        ? "A name that the rules list is seen for the first time: it is this id's from now on"
        : "A name that the rules list is another one's from now on; the owner has accepted it",
      { ...about, ...(before === undefined ? {} : { before }) },
    );
    await writeNames(
      join(folder, KNOWN_NAMES_FILE),
      { ...known, [kind]: new Map(known[kind]).set(name, id) },
    );
    known[kind].set(name, id);
  }

  /** Whose a name is; the owner's word comes first. */
  async function holderOf(kind: KindOfName, name: string, id: number): Promise<number> {
    const accepted = (await readNames(join(folder, ACCEPTED_NAMES_FILE)))[kind].get(name);
    const holder = accepted ?? known[kind].get(name) ?? id;
    if (known[kind].get(name) !== holder) await keep(kind, name, holder);
    return holder;
  }

  return {
    look: (kind, caller) =>
      inTurn(async () => {
        const { id, name } = caller;
        if (typeof name !== "string" || !listedNames(kind, policy).includes(name)) return caller;
        if (listOf(kind, policy).includes(id)) return caller;
        const nameIsOf = await holderOf(kind, name, id);
        if (nameIsOf === id) return caller;
        await audit.record("listed name refused", { kind, name, id, known: nameIsOf });
        log.warn("A name that the rules list is another one's than before: it lets nobody in", {
          kind,
          name,
          id,
          known: nameIsOf,
        });
        return { ...caller, nameIsOf };
      }),
  };
}

function listOf(
  kind: KindOfName,
  { allowedUsers = [], allowedOrganizations = [] }: KnownNamesOptions["policy"],
): readonly (number | string)[] {
  return kind === "user" ? allowedUsers : allowedOrganizations;
}

/** The names, not the ids, that the rules list of a kind. */
export function listedNames(kind: KindOfName, policy: KnownNamesOptions["policy"]): string[] {
  return listOf(kind, policy).filter((one) => typeof one === "string");
}

export interface HolderOfName {
  kind: KindOfName;
  name: string;
  /** `undefined` where nobody has come under the name yet. */
  id: number | undefined;
}

/** Whose each listed name is. */
export async function holdersOfNames(
  folder: string,
  policy: KnownNamesOptions["policy"],
): Promise<HolderOfName[]> {
  const known = await readNames(join(folder, KNOWN_NAMES_FILE));
  const accepted = await readNames(join(folder, ACCEPTED_NAMES_FILE));
  return KINDS_OF_NAMES.flatMap((kind) =>
    listedNames(kind, policy).map((name) => ({
      kind,
      name,
      id: accepted[kind].get(name) ?? known[kind].get(name),
    }))
  );
}

/** What `accept-name` does: the running agent sees it the next time it meets the name. */
export async function acceptName(
  folder: string,
  { kind, name, id }: { kind: KindOfName; name: string; id: number },
): Promise<{ before: number | undefined }> {
  const path = join(folder, ACCEPTED_NAMES_FILE);
  const accepted = await readNames(path);
  const known = await readNames(join(folder, KNOWN_NAMES_FILE));
  const before = accepted[kind].get(name) ?? known[kind].get(name);
  accepted[kind].set(name, id);
  await writeNames(path, accepted);
  return { before };
}

async function readNames(path: string): Promise<Names> {
  try {
    return fileSchema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { user: new Map(), organization: new Map() };
    throw new Error(
      `Cannot read ${path}, where it is kept whose the names in policies are. Mend it, or move it ` +
        "away: every name then counts as new.",
      { cause: error },
    );
  }
}

async function writeNames(path: string, names: Names): Promise<void> {
  const file = Object.fromEntries(KINDS_OF_NAMES.map((kind) => [kind, [...names[kind]]]));
  await replaceFile(path, `${JSON.stringify(file, null, 2)}\n`);
}
