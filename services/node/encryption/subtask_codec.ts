/**
 * How a run's subtasks are written for other nodes, and their results read, in an encrypted
 * collaboration.
 * @module
 */
import type { KeyObject } from "node:crypto";
import { auditOfAttempt } from "../record/audit_log.ts";
import type { Correspondence } from "../subtasks/correspondence.ts";
import type { PayloadCodec } from "../subtasks/payload_codec.ts";
import type { Seal } from "../../../shared/payload/form.ts";
import {
  type EncryptedPayloadsOptions,
  type Judging,
  noteInput,
  recorded,
  recordedOpener,
  type RunPlace,
  UNSIGNED,
} from "./judging.ts";
import { KeyError } from "./keys.ts";
import { type Place, type WantedResult, whyNotThisResult } from "../../../shared/payload/label.ts";
import {
  createBlobOpener,
  createSeal,
  type Format,
  type Judge,
  openSealed,
  sealText,
} from "./sealed.ts";
import { createSignedSeal } from "./signed.ts";
import { withoutSecondBase64 } from "../../../shared/payload/without_second_base64.ts";

export interface SubtaskCodecOptions extends EncryptedPayloadsOptions {
  judging: Judging;
  /** The run that asks for the subtasks. */
  run: RunPlace;
  correspondence: Correspondence;
}

export function createSubtaskCodec(
  {
    organizationId: ownId,
    collaborationId,
    privateKey,
    keys,
    betweenNodes,
    formatFor,
    audit,
    judging,
    run,
    correspondence,
  }: SubtaskCodecOptions,
): PayloadCodec {
  const { labelOf, judgeWith, noteOf } = judging;
  const strict = betweenNodes === "authenticated";
  const place: Place = {
    organizationId: ownId,
    collaborationId,
    runId: run.run_id,
    parentId: run.task_id,
  };
  const note = auditOfAttempt(audit, run);

  function judgeOfResult(wanted: WantedResult): Judge {
    const { sentFor, allSigned } = correspondence;
    return judgeWith(
      (label) => whyNotThisResult(label, place, { wanted, sentFor }),
      () => {
        if (strict) return UNSIGNED;
        if (wanted.taskId !== undefined && allSigned(wanted.taskId)) {
          return `${UNSIGNED}, in which all inputs of task ${wanted.taskId} were sent`;
        }
      },
    );
  }

  function sealInput(key: KeyObject, to: number[], format: Format): Seal {
    if (format === "field") return createSeal(key);
    if (to.length > 16) throw new KeyError("More than 16 organizations share this key");
    const label = { is: "input" as const, ...labelOf(run.run_id, run.task_id, to) };
    return createSignedSeal(label, { reader: key, writer: privateKey });
  }

  return {
    encrypted: true,
    async encode(content, organizationId) {
      const [key, format] = await Promise.all([
        keys.ofReader(organizationId),
        formatFor(organizationId),
      ]);
      const seal = sealInput(key, [organizationId], format);
      const stored = sealText(Uint8Array.fromBase64(content), seal);
      await noteInput(note, { organizationId, stored, key: seal.key });
      return stored;
    },
    async decode(stored, wanted) {
      const { content } = await recorded(
        noteOf(run, "result", wanted),
        () => openSealed(stored, privateKey, judgeOfResult(wanted)),
      );
      return new Uint8Array(withoutSecondBase64(content)).toBase64();
    },
    opener: (wanted) =>
      recordedOpener(
        createBlobOpener(privateKey, judgeOfResult(wanted)),
        noteOf(run, "result", wanted),
      ),
    async blobSeal(readers) {
      const { key, organizationIds } = readers!;
      for (const id of organizationIds) await keys.check(id, key);
      const formats = await Promise.all(organizationIds.map(formatFor));
      const format = formats.includes("field") ? "field" : "authenticated";
      return sealInput(key, organizationIds, format);
    },
  };
}
