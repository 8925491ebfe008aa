/**
 * How this node reads payloads meant for it and writes those meant for others. What is refused
 * stands in the audit log, with the reason, and so does every input that leaves, with the key that
 * it is encrypted with.
 * @module
 */
import { type AuditLog, auditOfAttempt } from "../record/audit_log.ts";
import type { Correspondence } from "../subtasks/correspondence.ts";
import { type PayloadCodec, plainPayloads as plainCodec } from "../subtasks/payload_codec.ts";
import { createBase64Opener } from "./base64.ts";
import type { Opener, Seal } from "../../../shared/payload/form.ts";
import { FormatError } from "./formats.ts";
import {
  createJudging,
  type EncryptedPayloadsOptions,
  noteInput,
  recorded,
  recordedOpener,
  type RunPlace,
  UNSIGNED,
} from "./judging.ts";
import { whyNotThisInput, whyNotThisRequest } from "../../../shared/payload/label.ts";
import { createBlobOpener, createSeal, type Judge, openSealed, type Origin } from "./sealed.ts";
import { createSignedSeal } from "./signed.ts";
import { createSubtaskCodec } from "./subtask_codec.ts";
import { RefusedPayloadError } from "../../../shared/payload/unreadable_error.ts";
import { withoutSecondBase64 } from "../../../shared/payload/without_second_base64.ts";

export type { EncryptedPayloadsOptions, RunPlace };

/** An input as it was opened; without an origin where nothing is encrypted. */
export interface OpenedInput {
  content: Uint8Array;
  origin: Origin | null;
}

/** Opens an input too large to be read; its origin is known once it has ended. */
export type InputOpener = Opener & { readonly origin: Origin | null | undefined };

export interface Payloads {
  readonly encrypted: boolean;
  /**
   * The input of a run, from its text or the bytes of its blob. Rejects with an
   * `UnreadableError`.
   */
  openInput(stored: string | Uint8Array, run: RunPlace): Promise<OpenedInput>;
  inputOpener(run: RunPlace): InputOpener;
  /**
   * Begins the result of a run on this input, for the organization whose task it is; `null` where
   * payloads are not encrypted. A person's program that has signed what it asked reads what is
   * signed; others know v6's format alone.
   */
  seal(run: RunPlace, origin: Origin | null | undefined): Promise<Seal | null>;
  /** What a run exchanges with its subtasks. */
  codecOf(run: RunPlace, correspondence: Correspondence): PayloadCodec;
}

type Audit = Pick<AuditLog, "record">;

/** Payloads of a collaboration that is not encrypted. */
export function createPlainPayloads(audit: Audit): Payloads {
  return {
    encrypted: false,
    openInput: (stored) =>
      Promise.try(() => ({
        content: Uint8Array.fromBase64(
          typeof stored === "string" ? stored : new TextDecoder().decode(stored),
        ),
        origin: null,
      })),
    inputOpener: () => Object.assign(createBase64Opener(), { origin: null }),
    seal: () => Promise.resolve(null),
    codecOf: (run) => ({
      ...plainCodec,
      async encode(content, organizationId) {
        await noteInput(auditOfAttempt(audit, run), { organizationId, stored: content, key: null });
        return content;
      },
    }),
  };
}

export function createEncryptedPayloads(options: EncryptedPayloadsOptions): Payloads {
  const { organizationId, collaborationId, privateKey, keys, betweenNodes, formatFor, used } =
    options;
  const { now = Date.now } = options;
  const own = { organizationId, collaborationId };
  const judging = createJudging(options);
  const { labelOf, judgeWith, noteOf } = judging;
  const strict = betweenNodes === "authenticated";

  function judgeOfInput(run: RunPlace): Judge {
    const place = { ...own, runId: run.run_id, parentId: run.parent_id };
    return judgeWith(
      (label) => {
        const { init_org_id: from, image } = run;
        return run.parent_id === null && label.is === "request"
          ? whyNotThisRequest(label, { ...place, from, image }, now())
          : whyNotThisInput(label, { ...place, from }, now());
      },
      () => strict && run.parent_id !== null ? UNSIGNED : undefined,
    );
  }

  async function takeOnce({ id, signed }: Origin, { result_id }: RunPlace): Promise<void> {
    const before = signed ? await used.take(id, result_id) : undefined;
    if (before === undefined) return;
    throw new RefusedPayloadError(
      `it is the input of result ${before}, given once more as that of result ${result_id}`,
    );
  }

  return {
    encrypted: true,
    openInput: (stored, run) =>
      recorded(noteOf(run, "input"), async () => {
        const { content, origin } = await openSealed(stored, privateKey, judgeOfInput(run));
        await takeOnce(origin, run);
        return { content: withoutSecondBase64(content), origin };
      }),
    inputOpener(run) {
      const opener = createBlobOpener(privateKey, judgeOfInput(run));
      return recordedOpener(opener, noteOf(run, "input"), () => takeOnce(opener.origin!, run));
    },
    async seal(run, origin) {
      const { init_org_id: to, parent_id, run_id, task_id, result_id } = run;
      const key = await keys.ofReader(to);
      if (parent_id === null && !origin?.signed) return createSeal(key);
      // Who has signed reads what is signed, whatever the hub says.
      if (!origin?.signed && await formatFor(to) === "field") return createSeal(key);
      if (!origin) {
        throw new FormatError(
          "The run was begun by an agent of the version before, which did not note what it answers: " +
            "have the task done again.",
        );
      }
      const label = {
        is: "result" as const,
        ...labelOf(run_id, parent_id, [to]),
        task_id,
        result_id,
        answers: origin.id,
      };
      return createSignedSeal(label, { reader: key, writer: privateKey });
    },
    codecOf: (run, correspondence) =>
      createSubtaskCodec({ ...options, judging, run, correspondence }),
  };
}
