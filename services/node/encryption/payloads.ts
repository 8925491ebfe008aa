/**
 * How this node reads payloads meant for it and writes those meant for others. What is refused
 * stands in the audit log, with the reason, and so does every input that leaves, with the key that
 * it is encrypted with.
 * @module
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { type AuditLog, auditOfAttempt } from "../record/audit_log.ts";
import { digestOf } from "../record/audit_record.ts";
import type { Correspondence } from "../subtasks/correspondence.ts";
import { type PayloadCodec, plainPayloads as plainCodec } from "../subtasks/payload_codec.ts";
import { createBase64Opener } from "./base64.ts";
import type { Opener, Seal } from "./form.ts";
import { FormatError, type FormatSetting } from "./formats.ts";
import { KeyError } from "./keys.ts";
import type { KeysOfOthers } from "./keys_of_others.ts";
import {
  type InputLabel,
  type Label,
  type Place,
  type WantedResult,
  whyNotThisInput,
  whyNotThisResult,
} from "./label.ts";
import {
  createBlobOpener,
  createSeal,
  type Format,
  type Judge,
  openSealed,
  type Origin,
  sealText,
} from "./sealed.ts";
import { createSignedSeal } from "./signed.ts";
import { RefusedPayloadError, UnreadableError } from "./unreadable_error.ts";
import type { UsedInputs } from "./used_inputs.ts";
import { withoutSecondBase64 } from "./without_second_base64.ts";

/** What of a dispatch says where its payloads belong. */
export type RunPlace = Pick<
  Dispatch,
  "task_id" | "result_id" | "attempt" | "run_id" | "parent_id" | "init_org_id"
>;

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
   * payloads are not encrypted. A person's program knows only v6's format.
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

async function noteInput(
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
  audit: Audit;
  now?: () => number;
}

export function createEncryptedPayloads(
  {
    organizationId,
    collaborationId,
    privateKey,
    keys,
    betweenNodes,
    formatFor,
    used,
    audit,
    now = Date.now,
  }: EncryptedPayloadsOptions,
): Payloads {
  const own = { organizationId, collaborationId };
  const ownKey = fingerprintOf(createPublicKey(privateKey));
  const strict = betweenNodes === "authenticated";

  /** What every label of this node begins with. */
  function labelOf(runId: number, parentId: number, to: number[]): Omit<InputLabel, "is"> {
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

  function judgeOfInput(run: RunPlace): Judge {
    const place = { ...own, runId: run.run_id, parentId: run.parent_id };
    return judgeWith(
      (label) => whyNotThisInput(label, { ...place, from: run.init_org_id }, now()),
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

  function codecOf(run: RunPlace, correspondence: Correspondence): PayloadCodec {
    const place: Place = { ...own, runId: run.run_id, parentId: run.task_id };
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
      if (parent_id === null) return createSeal(key);
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
    codecOf,
  };
}

const UNSIGNED = "it is in v6's format, which shows neither who wrote it nor whether it was " +
  "changed, and not in the authenticated one";

type NoteRefusal = (reason: string) => Promise<void>;

/** Puts what cannot be read into the audit log. */
async function recorded<T>(note: NoteRefusal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnreadableError) await note(error.message);
    throw error;
  }
}

function recordedOpener(
  opener: ReturnType<typeof createBlobOpener>,
  note: NoteRefusal,
  atEnd = () => Promise.resolve(),
): InputOpener {
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
