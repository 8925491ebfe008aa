/**
 * The node as a witness of the hub's audit record: it notes the newest seals
 * (`shared/storage/audit_seal.ts`) in its own audit log, and from then on sees whether the hub's
 * chain still goes on from what was noted. A hub whose record was rewritten cannot hide that from
 * any data station that had looked before.
 * @module
 */
import { join } from "node:path";
import { giveToOwnerOf } from "./data_folder.ts";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type Seal, sealSchema } from "../../../shared/contract/audit.ts";
import { sealDigest } from "../../../shared/storage/audit_seal.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { HUB_SERVICES, type HubService } from "../../../shared/broker/subjects.ts";
import type { Hub } from "../hub/hub.ts";
import type { AuditLog } from "./audit_log.ts";

const FILE = "hub-record.json";
const EVERY_MS = 3_600_000;
/**
 * A seal comes every six hours, whatever happens (`SEAL_AT_LEAST_EVERY_MS`). Without a new one for
 * this long, by this machine's clock, the record is held back, or nobody keeps it.
 */
const GREATEST_AGE_MS = 86_400_000;
/** Any replica of a service seals, by its own clock. */
const REPLICAS_DIFFER_MS = 600_000;

const notedSchema = z.partialRecord(
  z.enum(HUB_SERVICES),
  z.object({
    number: z.number().int(),
    sha256: z.string(),
    // Not kept by agents of the version before.
    last_id: z.number().int().optional(),
    sealed_at: z.string().optional(),
  }),
);
type Noted = z.infer<typeof notedSchema>;
type Note = NonNullable<Noted[HubService]>;
/** Asks for some of one service's seals. */
type Ask = (which: string) => Promise<Seal[]>;

export interface WitnessOptions {
  hub: Pick<Hub, "request">;
  /** The agent's data folder. */
  folder: string;
  audit: Pick<AuditLog, "record">;
  log: Logger;
  signal: AbortSignal;
  now?: () => number;
  /** What is done each time before. */
  first?: () => Promise<void>;
}

/**
 * Looks now and every hour until `signal` is aborted. A hub that cannot be asked is asked next
 * time.
 */
export async function witnessHub(
  options: WitnessOptions,
  everyMs = EVERY_MS,
): Promise<void> {
  const { log, audit, signal, now = Date.now, first } = options;
  let looked = now();
  while (!signal.aborted) {
    await first?.().catch((error) =>
      log.debug("Cannot look at the hub's record now", { reason: messageOf(error) })
    );
    try {
      await lookAtSeals(options);
      looked = now();
    } catch (error) {
      const reason = messageOf(error);
      log.debug("Cannot look at the hub's seals now", { reason });
      if (!signal.aborted && now() - looked > GREATEST_AGE_MS) {
        const problem = `No seal could be had since ${new Date(looked).toISOString()}: ${reason}`;
        log.error("The hub's audit record cannot be watched", { problem });
        await audit.record("hub record broken", { problem });
      }
    }
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}

/** Follows each service's chain from what was noted to its newest seal, and notes that. */
export async function lookAtSeals(
  { hub, folder, audit, log, signal, now = Date.now }: WitnessOptions,
): Promise<void> {
  const schema = z.object({ data: z.array(sealSchema) });
  const sealsOf = (service: HubService): Ask => async (which) =>
    (await hub.request(`/audit/seals?service=${service}&${which}`, schema, { signal })).data;
  const path = join(folder, FILE);
  const noted = await readNoted(path);
  for (const service of HUB_SERVICES) {
    const before = noted[service];
    const found = await follow(sealsOf(service), before, now());
    if (typeof found === "string") {
      log.error("The hub's audit record is not what it was", {
        service,
        problem: found,
        advice:
          "Ask the hub's operator. If the hub was restored from a backup, and you believe so: " +
          `deno task node accept-record --config node.yaml --service ${service} --reason "…". ` +
          "Its record is then noted anew, and what was noted before stays here.",
      });
      await audit.record("hub record broken", { service, noted: before, problem: found });
      continue;
    }
    if (!found || found.number === before?.number) continue;
    const { number, sha256 } = found;
    await audit.record("hub record noted", { service, number, sha256 });
    noted[service] = found;
    await Deno.writeTextFile(`${path}.new`, JSON.stringify(noted), { mode: 0o600 });
    await Deno.rename(`${path}.new`, path);
  }
}

/**
 * The newest seal that follows from the one noted, or what is wrong; `undefined` while there is
 * none.
 */
async function follow(
  ask: Ask,
  noted: Note | undefined,
  now: number,
): Promise<Note | string | undefined> {
  if (!noted) {
    const newest = (await ask("newest=1")).at(-1);
    if (!newest) return undefined;
    return whyWrongTime(newest, now) ?? whySenseless(newest, {}) ?? noteOf(newest);
  }
  const [same, ...following] = await ask(`after=${noted.number - 1}&noted=${noted.sha256}`);
  if (same?.number !== noted.number) return `Seal ${noted.number} is gone.`;
  if (same.sha256 !== noted.sha256) return `Seal ${noted.number} is another one.`;
  let last: Note = { ...noted, last_id: same.last_id, sealed_at: same.sealed_at };
  for (let some = following; some.length > 0; some = await ask(`after=${last.number}`)) {
    for (const seal of some) {
      if (seal.number !== last.number + 1 || seal.sha256 !== sealDigest(last.sha256, seal)) {
        return `Seal ${seal.number} does not follow seal ${last.number}.`;
      }
      const senseless = whySenseless(seal, last);
      if (senseless) return senseless;
      last = noteOf(seal);
    }
  }
  return whyWrongTime(last, now) ?? last;
}

const noteOf = ({ number, sha256, last_id, sealed_at }: Seal): Note => ({
  number,
  sha256,
  last_id,
  sealed_at,
});

/** What a seal says that no record can be like, after the one before it. */
function whySenseless(
  { number, last_id, records, sealed_at }: Seal,
  before: Partial<Note>,
): string | undefined {
  if (records < 0 || last_id < 0) {
    return `Seal ${number} covers ${records} records up to ${last_id}.`;
  }
  if (Number.isNaN(Date.parse(sealed_at))) return `Seal ${number} has no time: ${sealed_at}.`;
  if (before.last_id !== undefined && last_id < before.last_id) {
    return `Seal ${number} ends at record ${last_id}, and the one before at ${before.last_id}.`;
  }
  if (records > last_id - (before.last_id ?? 0)) {
    return `Seal ${number} covers ${records} records up to number ${last_id}, after ${
      before.last_id ?? 0
    }.`;
  }
  if (
    before.sealed_at !== undefined &&
    Date.parse(sealed_at) < Date.parse(before.sealed_at) - REPLICAS_DIFFER_MS
  ) {
    return `Seal ${number} is of ${sealed_at}, and the one before of ${before.sealed_at}.`;
  }
}

/** What is wrong with the time of the newest seal. */
function whyWrongTime({ number, sealed_at = "" }: Partial<Note>, now: number): string | undefined {
  const age = now - Date.parse(sealed_at);
  if (age > GREATEST_AGE_MS) {
    return `The newest seal, ${number}, is of ${sealed_at}: none came since.`;
  }
  if (age < -GREATEST_AGE_MS) {
    return `The newest seal, ${number}, is of ${sealed_at}, which is to come.`;
  }
}

/** The owner knows why a service's record is another one: its seals are noted anew. */
export async function forgetNoted(folder: string, service: HubService): Promise<void> {
  const path = join(folder, FILE);
  const noted = await readNoted(path);
  if (!noted[service]) return;
  delete noted[service];
  await Deno.writeTextFile(`${path}.new`, JSON.stringify(noted), { mode: 0o600 });
  await giveToOwnerOf(folder, `${path}.new`);
  await Deno.rename(`${path}.new`, path);
}

async function readNoted(path: string): Promise<Noted> {
  try {
    return notedSchema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw new Error(
      `Cannot read ${path}: ${
        messageOf(error)
      }. Restore it, or remove it: then the hub's record is noted anew, ` +
        "and what was noted before stands in the audit log.",
    );
  }
}
