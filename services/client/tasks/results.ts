/**
 * The results of tasks, opened: decrypted, and checked where they are signed.
 * @module
 */
import type { Result } from "../../../shared/contract/result.ts";
import type { RunWithTask, Task } from "../../../shared/contract/task.ts";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import type { Label } from "../../../shared/payload/label.ts";
import { RefusedPayloadError, UnreadableError } from "../../../shared/payload/unreadable_error.ts";
import type { RsaPublicKey } from "../../../shared/payload/rsa_public_key.ts";
import type { Blobs } from "../blobs.ts";
import { KeyError, ResultError } from "../errors.ts";
import { fingerprintOf } from "../keys/fingerprint.ts";
import type { OrganizationKey } from "../keys/organization_key.ts";
import type { SeenKeys } from "../keys/seen_keys.ts";
import type { CallSettings } from "../nouns/noun.ts";
import type { organizations } from "../nouns/people.ts";
import type { collaborations } from "../nouns/places.ts";
import type { results, runs, tasks } from "../nouns/work.ts";
import { type Bytes, collect } from "../payloads/bytes.ts";
import { type OpenOptions, openPayload, type Stored } from "../payloads/open.ts";
import type { SentRequests } from "./sent_requests.ts";
import { failedOutcome, goodOutcome, type Outcome, whyNone } from "./outcome.ts";

export interface OpenResultOptions extends CallSettings {
  /** Of one's own organization, for which results are encrypted; none where nothing is. */
  key?: OrganizationKey | undefined;
}

export interface Opening {
  collaborations: ReturnType<typeof collaborations>;
  organizations: ReturnType<typeof organizations>;
  tasks: ReturnType<typeof tasks>;
  runs: ReturnType<typeof runs>;
  results: ReturnType<typeof results>;
  keys: SeenKeys;
  blobs: Blobs;
  sent: SentRequests;
}

/** What payloads of a share are held against when they are opened with `openPayload`. */
export interface PayloadChecks {
  ofResult: OpenOptions["signer"];
  ofInput: OpenOptions["signer"];
  /** Whether the result has to be signed, as what it answers was. */
  signedOnly: boolean;
}

/** Results of one task that are opened at the same time. */
const AT_ONCE = 8;

export function createResults(parts: Opening) {
  const storedOf = storedIn(parts);
  const checksOf = checksIn(parts);
  const keyFor = keysFor(parts);

  function pieces(
    { task, run, result }: { task: Task; run: RunWithTask; result: Result },
    key: OrganizationKey | undefined,
    { signal }: CallSettings,
  ): AsyncGenerator<Bytes> {
    const stored = storedOf(result.result!, result.blob_storage_used, signal);
    const { ofResult: signer, signedOnly } = checksOf(task, run);
    return openPayload(stored, { key, signer, signedOnly });
  }

  async function outcomeOf(
    { task, run, result }: { task: Task; run: RunWithTask; result: Result },
    key: OrganizationKey | undefined,
    options: CallSettings,
  ): Promise<Outcome> {
    if (!result.result) {
      const told = run.log === null && run.status !== "completed"
        ? await parts.runs.get(run.id, { ...options, payload: "log" })
        : run;
      return failedOutcome(run, whyNone(told, result));
    }
    try {
      return goodOutcome(run, await collect(pieces({ task, run, result }, key, options)));
    } catch (error) {
      if (!(error instanceof UnreadableError) && !(error instanceof KeyError)) throw error;
      return failedOutcome(run, `The result cannot be opened: ${error.message}`);
    }
  }

  return {
    /**
     * What came of each organization's share, in the order of the ids. Of shares that failed, or
     * whose result cannot be opened, the reason.
     */
    async of(taskId: number, options: OpenResultOptions = {}): Promise<Outcome[]> {
      const { signal } = options;
      const task = await parts.tasks.get(taskId, { ...(signal ? { signal } : {}) });
      const filters = { task_id: taskId, sort: "id" };
      const [runs, key] = await Promise.all([
        parts.runs.list({ ...filters, payload: "none" }, options).all(),
        keyFor(task, options),
      ]);
      // Afterwards: what ended in between would be completed, and without a result.
      const results = await parts.results.list(filters, options).all();
      const byId = new Map(results.map((one) => [one.id, one]));
      const shares = runs.flatMap((run) => {
        const result = byId.get(run.id);
        return result ? [{ task, run, result }] : [];
      }).sort((one, other) => one.run.id - other.run.id);
      const outcomes: Outcome[] = [];
      for (let at = 0; at < shares.length; at += AT_ONCE) {
        const some = shares.slice(at, at + AT_ONCE);
        outcomes.push(...await Promise.all(some.map((one) => outcomeOf(one, key, options))));
      }
      return outcomes;
    },

    /**
     * The content of one result, however large, piece by piece. What is signed comes only once all
     * of it has been checked. Rejects with a {@linkcode ResultError} where there is none.
     */
    async open(resultId: number, options: OpenResultOptions = {}): Promise<AsyncGenerator<Bytes>> {
      const { signal } = options;
      const settings = signal ? { signal } : {};
      const run = await parts.runs.get(resultId, { ...settings, payload: "log" });
      // Afterwards, as in `of`.
      const result = await parts.results.get(resultId, settings);
      const task = await parts.tasks.get(run.task.id, settings);
      if (!result.result) {
        throw new ResultError(`Result ${resultId} has no content: ${whyNone(run, result)}`);
      }
      return pieces({ task, run, result }, await keyFor(task, options), settings);
    },

    /** The input that an organization got, for whoever holds its key. */
    async openInput(
      runId: number,
      options: OpenResultOptions = {},
    ): Promise<AsyncGenerator<Bytes>> {
      const { signal } = options;
      const settings = signal ? { signal } : {};
      const run = await parts.runs.get(runId, settings);
      if (!run.input) throw new ResultError(`The input of run ${runId} was removed.`);
      const task = await parts.tasks.get(run.task.id, settings);
      const stored = storedOf(run.input, run.blob_storage_used, signal);
      const { ofInput: signer } = checksOf(task, run);
      return openPayload(stored, { key: await keyFor(task, options), signer });
    },

    /** For who opens payloads elsewhere, such as in a worker that alone has the key. */
    checksOf,
  };
}

/** What the payloads of a share are held against. */
function checksIn(parts: Opening) {
  const signerOf = signersOf(parts);
  return function checksOf(task: Task, run: RunWithTask): PayloadChecks {
    const sent = parts.sent.idOf(task.id, run.organization.id);
    return {
      ofResult: signerOf((label) => whyNotOf(label, { task, run, sent })),
      ofInput: signerOf((label) => whyNotInput(label, task, run)),
      signedOnly: sent !== undefined,
    };
  };
}

/** The key that opens the payloads of a task; none where nothing is encrypted. */
function keysFor({ collaborations }: Opening) {
  return async function keyFor(
    task: Task,
    { key, ...options }: OpenResultOptions,
  ): Promise<OrganizationKey | undefined> {
    const { encrypted } = await collaborations.get(task.collaboration.id, options);
    if (!encrypted) return undefined;
    if (key) return key;
    throw new KeyError(
      "The collaboration is encrypted: its results are opened with the private key of the " +
        "organization that they are for.",
    );
  };
}

/** A payload as it is stored: its text, or the blob that it names. */
function storedIn({ blobs }: Opening) {
  return function storedOf(
    text: string,
    inBlob: boolean,
    signal: AbortSignal | undefined,
  ): Stored {
    return inBlob || isBlobId(text)
      ? { in: "blob", pieces: blobs.download(text, { signal }) }
      : { in: "text", text };
  };
}

/**
 * With which organization's key a signed payload must be signed, and whether it belongs where it is
 * read; `why` says why not.
 */
function signersOf({ keys, organizations }: Opening) {
  return (why: (label: Label) => string | undefined) =>
    async function signer(label: Label): Promise<RsaPublicKey> {
      const reason = why(label);
      if (reason) throw new RefusedPayloadError(reason);
      const key = await keys.keyOf(await organizations.get(label.from));
      const fingerprint = await fingerprintOf(key.der);
      if (fingerprint === label.key) return key;
      throw new RefusedPayloadError(
        `it is signed with the key ${label.key}, and that of organization ${label.from} is ` +
          fingerprint,
      );
    };
}

/** Why a label does not belong to a result; `undefined` when it does. */
function whyNotOf(
  label: Label,
  { task, run, sent }: { task: Task; run: RunWithTask; sent: string | undefined },
): string | undefined {
  if (label.is !== "result") return "it was written as the input of a task, not as a result";
  if (sent !== undefined && label.answers !== sent) {
    return "it answers another input than the one that was sent";
  }
  if (label.result_id !== run.id || label.task_id !== task.id) {
    return `it is result ${label.result_id} of task ${label.task_id}`;
  }
  return whyElsewhere(label, { task, from: run.organization.id, to: task.init_org.id });
}

function whyNotInput(label: Label, task: Task, run: RunWithTask): string | undefined {
  const to = run.organization.id;
  if (label.is === "request") {
    const isOfTask = label.collaboration_id === task.collaboration.id &&
      label.from === task.init_org.id && label.to.includes(to);
    return isOfTask ? undefined : "it was written for another task";
  }
  if (label.is !== "input") return "it was written as a result, not as the input of a task";
  return whyElsewhere(label, { task, from: task.init_org.id, to });
}

function whyElsewhere(
  label: Exclude<Label, { is: "request" }>,
  { task, from, to }: { task: Task; from: number; to: number },
): string | undefined {
  if (label.collaboration_id !== task.collaboration.id) {
    return `it was written in collaboration ${label.collaboration_id}`;
  }
  if (label.run_id !== task.job_id || label.parent_id !== (task.parent?.id ?? null)) {
    return `it was written for a subtask of task ${label.parent_id} of run ${label.run_id}`;
  }
  if (label.from !== from) return `organization ${label.from} has written it, not ${from}`;
  if (!label.to.includes(to)) return `it was written for organization ${label.to.join(", ")}`;
}
