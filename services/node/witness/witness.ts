/**
 * The node as a witness of the hub's audit record: of each service's record it keeps the newest
 * checkpoint that it has accepted, and accepts another one only when the hub proves that what was
 * seen is the beginning of what there is now. Checkpoints come with every dispatch, with the
 * answers to `work`, and are asked for every hour. What is wrong stands in the node's audit log
 * with the checkpoints that show it, which the hub has signed.
 *
 * What other nodes were shown is compared in `exchange.ts`.
 * @module
 */
import { z } from "zod";
import { HUB_SERVICES, type HubService } from "../../../shared/broker/subjects.ts";
import { checkpointList } from "../../../shared/node_protocol/checkpoints.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import { type Checkpoint, readCheckpoint } from "../../../shared/transparency/checkpoint.ts";
import { HubError } from "../hub/error.ts";
import type { Hub } from "../hub/hub.ts";
import type { AuditLog } from "../record/audit_log.ts";
import { forgetNoted } from "../record/hub_witness.ts";
import { createAlarms, type Raise } from "./alarms.ts";
import { GREATEST_AGE_MS, judge } from "./judge.ts";
import {
  acknowledgements,
  type Alarm,
  checkpointOf,
  type Kept,
  readKept,
  writeKept,
} from "./kept.ts";
import { isProven } from "./proofs.ts";

/** So often what is accepted stands in the audit log, too; the newest is always in its file. */
const NOTED_EVERY_MS = 3_600_000;
/** Checkpoints that are known to be judged. */
const MOST_SETTLED = 256;

export interface WitnessOptions {
  hub: Pick<Hub, "request">;
  /** The keys by which the hub signs, as this node believes. */
  keys: () => readonly string[];
  /** The agent's data folder. */
  folder: string;
  audit: Pick<AuditLog, "record">;
  log: Logger;
  signal: AbortSignal;
  now?: () => number;
}

export interface HubWitness {
  /** What is kept; to be read, and by `exchange.ts` to be added to. */
  readonly kept: Readonly<Kept>;
  readonly alarms: readonly Alarm[];
  raise: Raise;
  /** Writes what is kept. */
  save(): Promise<void>;
  /** Judges checkpoints that came with a message. Never rejects. */
  hear(notes: readonly string[]): Promise<void>;
  /** Asks the hub for its newest ones, and judges them. Rejects only for a broken audit log. */
  look(): Promise<void>;
}

/** Reads what was kept before. Throws when that is there and cannot be read. */
export async function openWitness(options: WitnessOptions): Promise<HubWitness> {
  const { hub, keys, folder, audit, log, signal, now = Date.now } = options;
  const kept = await readKept(folder);
  const started = now();
  const inTurn = createTurns(1);
  const saving = createTurns(1);
  const save = () => saving(() => writeKept(folder, kept));
  const { raise, settle } = createAlarms({ kept, save, audit, log, now });
  /** Checkpoints on which there is no more to say, and those that are being judged. */
  const settled = new Set<string>();
  const underWay = new Set<string>();
  const noted = new Map<HubService, number>();

  async function accept(told: Checkpoint, note: string): Promise<void> {
    const { service, origin, size, sealedAt: sealed_at } = told;
    const root = Buffer.from(told.root).toString("base64");
    const at = new Date(now()).toISOString();
    const before = kept.checkpoints[service];
    const { since, seen_at } = before ?? { since: at, seen_at: at };
    if (!before || now() - (noted.get(service) ?? 0) >= NOTED_EVERY_MS) {
      noted.set(service, now());
      await audit.record("hub checkpoint noted", { service, size, root, note, since });
    }
    kept.checkpoints[service] = { origin, size, root, sealed_at, note, since, seen_at };
    await save();
  }

  /**
   * Judges one; whether it is good, and of which service. Rejects while the hub cannot be asked.
   */
  async function take(note: string, asked: boolean): Promise<HubService | undefined> {
    const told = readCheckpoint(note, keys());
    if (typeof told === "string") {
      const service = HUB_SERVICES.find((one) => note.split("\n", 1)[0]!.endsWith(one)) ?? "task";
      const problem = `A checkpoint is not believed: ${told}.`;
      await raise(service, { kind: "bad signature", problem }, note);
      return undefined;
    }
    const { service } = told;
    const before = kept.checkpoints[service];
    const ours = before && checkpointOf(service, before);
    const judgement = judge(told, ours, { asked, now: now() });
    let isGood = judgement.is !== "wrong";
    if (judgement.is === "wrong") {
      await raise(service, judgement, note);
    } else if (judgement.is === "newer" || judgement.is === "older") {
      const [first, second] = judgement.is === "newer" ? [ours!, told] : [told, ours!];
      isGood = await isProven(hub, first, second, signal);
      if (!isGood) await raise(service, judgement.else, note);
    }
    if (isGood && (judgement.is === "newer" || judgement.is === "accepted")) {
      await accept(told, note);
    }
    if (settled.size >= MOST_SETTLED) settled.clear();
    settled.add(note);
    return isGood ? service : undefined;
  }

  /** Follows what the owner has acknowledged since the last time. */
  async function followAcknowledgements(): Promise<void> {
    for (const { service, reason, at } of await acknowledgements(folder, kept)) {
      const alarms = kept.alarms.filter((alarm) => alarm.service === service);
      const before = service === "nodes" ? kept.witnesses : kept.checkpoints[service]?.note;
      await audit.record("hub record acknowledged", { service, reason, at, before, alarms });
      log.warn(
        "The owner has acknowledged that the hub's record is another one: it is noted anew",
        {
          service,
          reason,
        },
      );
      kept.alarms = kept.alarms.filter((alarm) => alarm.service !== service);
      if (service === "nodes") {
        kept.witnesses = {};
      } else {
        delete kept.checkpoints[service];
        await forgetNoted(folder, service);
      }
      kept.followed = [...kept.followed, at];
      settled.clear();
      await save();
    }
  }

  /** Alarms when nothing good came of a record for too long. */
  async function overdue(service: HubService, answered: boolean, reason: string): Promise<void> {
    const seen = Date.parse(kept.checkpoints[service]?.seen_at ?? "") || 0;
    const since = Math.max(started, seen);
    if (now() - since <= GREATEST_AGE_MS) return;
    const problem = `No good checkpoint could be had since ${new Date(since).toISOString()}: ` +
      `${reason}`;
    await raise(service, { kind: answered ? "frozen" : "out of reach", problem });
  }

  async function judgeNewest(notes: string[]): Promise<void> {
    const good = new Set<HubService>();
    for (const note of notes) {
      const service = await take(note, true).catch((error) => {
        log.debug("Cannot judge a checkpoint now", { reason: messageOf(error) });
      });
      if (service) good.add(service);
    }
    for (const service of HUB_SERVICES) {
      const mine = kept.checkpoints[service];
      if (!mine) continue;
      if (!good.has(service)) {
        await overdue(service, true, "none that it gives goes on from the one that was seen.");
      } else if (now() - Date.parse(mine.sealed_at) > GREATEST_AGE_MS) {
        await raise(service, {
          kind: "frozen",
          problem:
            `The newest seal, over ${mine.size} records, is of ${mine.sealed_at}: none came ` +
            "since.",
        });
      } else {
        mine.seen_at = new Date(now()).toISOString();
        settle(service);
      }
    }
    await save();
  }

  return {
    kept,
    get alarms() {
      return kept.alarms;
    },
    raise,
    save,
    async hear(notes) {
      const fresh = notes.filter((note) => !settled.has(note) && !underWay.has(note));
      for (const note of fresh) underWay.add(note);
      await Promise.all(fresh.map((note) =>
        inTurn(() => take(note, false)).catch((error) => {
          if (!signal.aborted) {
            log.debug("Cannot judge a checkpoint now", { reason: messageOf(error) });
          }
        }).finally(() => underWay.delete(note))
      ));
    },
    look: () =>
      inTurn(async () => {
        await followAcknowledgements();
        try {
          const schema = z.object({ data: checkpointList });
          const { data } = await hub.request("/audit/checkpoints", schema, { signal });
          await judgeNewest(data);
        } catch (error) {
          if (signal.aborted || !(error instanceof HubError)) throw error;
          const known = HUB_SERVICES.filter((one) => kept.checkpoints[one]);
          // A hub of the version before has none to give; one that gave some has.
          if (error.status === 404 && known.length === 0) return;
          const services = known.length > 0 ? known : ["task"] as const;
          for (const service of services) {
            await overdue(service, error.status !== undefined, error.message);
          }
        }
      }),
  };
}
