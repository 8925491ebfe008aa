/**
 * What the reading and writing of a node's encrypted payloads share: labels, who decides on them,
 * and what the audit log says.
 * @module
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { type AuditLog, auditOfAttempt } from "../record/audit_log.ts";
import { digestOf } from "../record/audit_record.ts";
import type { FormatSetting } from "./formats.ts";
import { KeyError } from "./keys.ts";
import type { KeysOfOthers } from "./keys_of_others.ts";
import type { InputLabel, Label, WantedResult } from "../../../shared/payload/label.ts";
import type { BlobOpener, Format, Judge } from "./sealed.ts";
import { RefusedPayloadError, UnreadableError } from "../../../shared/payload/unreadable_error.ts";
import type { UsedInputs } from "./used_inputs.ts";

/** What of a dispatch says where its payloads belong. */
export type RunPlace = Pick<
  Dispatch,
  "task_id" | "result_id" | "attempt" | "run_id" | "parent_id" | "init_org_id" | "image"
>;

export interface EncryptedPayloadsOptions {
  /** Of this node. */
  organizationId: number;
  collaborationId: number;
  /** The organization's. */
  privateKey: KeyObject;
  keys: KeysOfOthers;
  betweenNodes: FormatSetting;
  /** How this node writes what the node of an organization will read. */
  formatFor: (organizationId: number) => Promise<Format>;
  used: UsedInputs;
  audit: Pick<AuditLog, "record">;
  now?: () => number;
}

export interface Judging {
  /** What every label of this node begins with. */
  labelOf<Parent extends number | null>(
    runId: number,
    parentId: Parent,
    to: number[],
  ): Omit<InputLabel, "is" | "parent_id"> & { parent_id: Parent };
  /** Who decides by these reasons against a payload; `undefined` is none. */
  judgeWith(
    why: (label: Label) => string | undefined,
    unsigned: () => string | undefined,
  ): Judge;
  /** What puts a refusal into the audit log. */
  noteOf(run: RunPlace, is: Label["is"], wanted?: WantedResult): NoteRefusal;
}

export function createJudging(
  { organizationId, collaborationId, privateKey, keys, audit, now = Date.now }:
    EncryptedPayloadsOptions,
): Judging {
  const ownKey = fingerprintOf(createPublicKey(privateKey));

  function labelOf<Parent extends number | null>(runId: number, parentId: Parent, to: number[]) {
    return {
      collaboration_id: collaborationId,
      from: organizationId,
      key: ownKey,
      to,
      run_id: runId,
      parent_id: parentId,
      at: new Date(now()).toISOString(),
    };
  }

  function judgeWith(
    why: (label: Label) => string | undefined,
    unsigned: () => string | undefined,
  ): Judge {
    return {
      unsigned() {
        const reason = unsigned();
        if (reason) throw new RefusedPayloadError(reason);
      },
      async signed(label) {
        const reason = why(label);
        if (reason) throw new RefusedPayloadError(reason);
        return await keys.ofSigner(label.from, label.key).catch((error) => {
          if (!(error instanceof KeyError)) throw error;
          throw new RefusedPayloadError(error.message);
        });
      },
    };
  }

  function noteOf(run: RunPlace, is: Label["is"], wanted: WantedResult = {}): NoteRefusal {
    const note = auditOfAttempt(audit, run);
    return (reason) =>
      note("payload refused", {
        what: is,
        ...(wanted.taskId === undefined ? {} : { of_task: wanted.taskId }),
        ...(wanted.resultId === undefined ? {} : { of_result: wanted.resultId }),
        reason,
      });
  }

  return { labelOf, judgeWith, noteOf };
}

/** Puts the input of a subtask into the audit log, before it leaves. */
export async function noteInput(
  note: AuditLog["record"],
  { organizationId, stored, key }: { organizationId: number; stored: string; key: string | null },
): Promise<void> {
  await note("subtask input leaves", {
    organization_id: organizationId,
    bytes: stored.length,
    sha256: digestOf(stored),
    key,
  });
}

export const UNSIGNED =
  "it is in v6's format, which shows neither who wrote it nor whether it was " +
  "changed, and not in the authenticated one";

export type NoteRefusal = (reason: string) => Promise<void>;

/** Puts what cannot be read into the audit log. */
export async function recorded<T>(note: NoteRefusal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnreadableError) await note(error.message);
    throw error;
  }
}

export function recordedOpener(
  opener: BlobOpener,
  note: NoteRefusal,
  atEnd = () => Promise.resolve(),
): BlobOpener {
  return {
    get authenticated() {
      return opener.authenticated;
    },
    get origin() {
      return opener.origin;
    },
    update(piece) {
      try {
        return opener.update(piece);
      } catch (error) {
        if (error instanceof UnreadableError) void note(error.message);
        throw error;
      }
    },
    final: () =>
      recorded(note, async () => {
        const content = await opener.final();
        await atEnd();
        return content;
      }),
  };
}
