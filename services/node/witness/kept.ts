/**
 * What the node keeps of the hub's audit record: the newest checkpoint of each service that it has
 * accepted, and what was wrong. Synced to the disk before it counts.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { HUB_SERVICES, type HubService } from "../../../shared/broker/subjects.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Checkpoint } from "../../../shared/transparency/checkpoint.ts";
import { replaceFile } from "../record/data_folder.ts";
import { ALARM_KINDS } from "./judge.ts";

/** The file in the node's data folder that the agent writes. */
export const KEPT_FILE = "hub-checkpoints.json";
/** The file beside it that `accept-record` writes. */
export const ACCEPTED_FILE = "accepted-records.json";

const keptCheckpoint = z.object({
  origin: z.string(),
  size: z.number().int(),
  /** Base64. */
  root: z.string(),
  sealed_at: z.string(),
  /** As the hub has signed it. */
  note: z.string(),
  /** When the first one was accepted of those that this one is proven to go on from. */
  since: z.string(),
  /** When the hub last gave a new enough one, by this machine's clock. */
  seen_at: z.string(),
});
export type KeptCheckpoint = z.infer<typeof keptCheckpoint>;

/** Whose record it is, or `nodes` for what other nodes state. */
export const SUBJECTS_OF_ALARMS = [...HUB_SERVICES, "nodes"] as const;
export type SubjectOfAlarm = typeof SUBJECTS_OF_ALARMS[number];

const alarmSchema = z.object({
  service: z.enum(SUBJECTS_OF_ALARMS),
  kind: z.enum(ALARM_KINDS),
  problem: z.string(),
  at: z.string(),
  /** The checkpoint that is wrong, if there is one. */
  told: z.string().optional(),
});
/** What is wrong, until it is over or the owner acknowledges it. */
export type Alarm = z.infer<typeof alarmSchema>;

const keptSchema = z.object({
  checkpoints: z.partialRecord(z.enum(HUB_SERVICES), keptCheckpoint),
  alarms: z.array(alarmSchema),
  /** The keys by which other nodes sign, by node. */
  witnesses: z.record(z.string(), z.string()),
  /** Acknowledgements that were followed, by their time. */
  followed: z.array(z.string()),
});
export type Kept = z.infer<typeof keptSchema>;

const acceptedSchema = z.array(z.object({
  service: z.enum(SUBJECTS_OF_ALARMS),
  reason: z.string(),
  at: z.string(),
}));
/** That the owner knows why a service's record is another one, and wants it noted anew. */
export type Acknowledgement = z.infer<typeof acceptedSchema>[number];

export async function readKept(folder: string): Promise<Kept> {
  const nothing = { checkpoints: {}, alarms: [], witnesses: {}, followed: [] };
  return await readFile(join(folder, KEPT_FILE), keptSchema) ?? nothing;
}

export async function writeKept(folder: string, kept: Kept): Promise<void> {
  await replaceFile(join(folder, KEPT_FILE), `${JSON.stringify(kept, null, 2)}\n`);
}

/** What the owner has acknowledged and the agent has not followed yet. */
export async function acknowledgements(folder: string, kept: Kept): Promise<Acknowledgement[]> {
  const all = await readFile(join(folder, ACCEPTED_FILE), acceptedSchema) ?? [];
  return all.filter(({ at }) => !kept.followed.includes(at));
}

/** What `accept-record` does: the agent sees it the next time it looks, or when it starts. */
export async function acknowledge(
  folder: string,
  { service, reason }: { service: SubjectOfAlarm; reason: string },
): Promise<void> {
  const path = join(folder, ACCEPTED_FILE);
  const before = await readFile(path, acceptedSchema) ?? [];
  const all = [...before, { service, reason, at: new Date().toISOString() }];
  await replaceFile(path, `${JSON.stringify(all, null, 2)}\n`);
}

export function checkpointOf(service: HubService, kept: KeptCheckpoint): Checkpoint {
  const { origin, size, root, sealed_at: sealedAt } = kept;
  return { origin, service, size, root: Uint8Array.fromBase64(root), sealedAt };
}

async function readFile<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Error(
      `Cannot read ${path}, where it is kept what was seen of the hub's record: ` +
        `${messageOf(error)}. Restore it, or move it away: the record is then noted anew.`,
      { cause: error },
    );
  }
}
