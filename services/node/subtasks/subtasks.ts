/**
 * What a run may do beyond its own machine, whatever runtime it is in: ask the hub in its own name,
 * make subtasks of its task, each of them once, wait until they are over, and read their results
 * within bounds.
 *
 * It has two faces, which translate only: a client for algorithms in the sandbox
 * (`sandbox_client.ts`) and a proxy with v6's paths for those in containers (`proxy/`).
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import { isOpen } from "../../../shared/node_protocol/status.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { traceparent } from "../../../shared/tracing/tracer.ts";
import { TRACEPARENT_HEADER } from "../../../shared/tracing/traceparent.ts";
import { persist } from "../hub/persist.ts";
import { type Hub, HubError, type HubRequest } from "../hub/hub.ts";
import { collect, type Pieces, TooLargeError } from "../payload/pieces.ts";
import {
  type Created,
  createdSchema,
  createOnce,
  type CreationMemory,
  NO_MEMORY,
  type TaskBody,
} from "./create_once.ts";
import type { Access } from "./grant.ts";
import { type Correspondence, createCorrespondence } from "./correspondence.ts";
import type { PayloadCodec } from "./payload_codec.ts";

/** Seconds for which the hub holds a question about a task that is not finished. */
const HOLD_SECONDS = 25;
/** Milliseconds between two such questions: the hub answers early when the status moves on. */
const PAUSE_MS = { first: 5, most: 1000 };

/**
 * What a run gets in one answer, and what it sends in one question. Blobs are for what is larger.
 */
export const MOST_MIB = 64;
export const MOST_BYTES = MOST_MIB * 2 ** 20;
/**
 * Bytes that a run sends or gets at once without waiting for its turn among all runs of the agent.
 */
export const SMALL_BYTES = 2 ** 20;

/** Whether an answer, or what it names, is larger than was wanted. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof TooLargeError || error instanceof HubError && error.status === 422;
}

const sharesSchema = z.object({
  organizations: z.array(z.object({ id: z.int(), input: z.string().optional() })).default([]),
});
const statusSchema = z.looseObject({ status: z.string() });
export type TaskStatus = z.infer<typeof statusSchema>;

/** A result as the hub keeps it: the text itself, or the id of a blob. */
export interface StoredResult {
  result?: string | null | undefined;
  blob_storage_used: boolean;
}

/**
 * Reads one result; `null` when there is none. Throws a `TooLargeError` for more in all than its
 * reader takes.
 */
export type ReadStored = (result: StoredResult) => Promise<string | Uint8Array | null>;

export interface Subtasks {
  /**
   * Asks the hub in the run's name, until it answers. Rejects with a {@linkcode HubError} when it
   * refuses.
   */
  get<T>(path: string, schema: z.ZodType<T>, options?: HubRequest): Promise<T>;
  /**
   * Writes the inputs of a subtask for those who will read them; what lies in a blob was written on
   * its way there.
   */
  encodeInputs<Share extends { id: number; input?: string | undefined }>(
    organizations: readonly Share[],
  ): Promise<Share[]>;
  /**
   * Makes the subtask that has this key: sends what `write` gives, or what was sent for it before.
   * However often it is called before {@linkcode Subtasks.delivered}, the hub makes one subtask.
   */
  create(key: string, write: () => Promise<TaskBody>): Promise<Created>;
  /** The answer for this key has arrived: nothing is kept of it any more. */
  delivered(key: string): void;
  /** Whether this is a subtask that the run has made. */
  isOwn(taskId: number): boolean;
  /**
   * Waits until a task is over, and no longer than `mostMs` or until `signal` is aborted; gives its
   * status.
   */
  whenOver(
    taskId: number,
    options?: { mostMs?: number; signal?: AbortSignal },
  ): Promise<TaskStatus>;
  /** What reads the results of one answer, up to so many bytes of blobs in all. */
  openReader(mostBytes?: number): ReadStored;
}

export interface SubtasksOptions {
  hub: Hub;
  /** The attempt in whose name everything happens: the hub lets none that is given up make more. */
  attempt: number;
  access: () => Promise<Access>;
  codec: Pick<PayloadCodec, "encode">;
  /** Remembers what was sent for a subtask. */
  correspondence?: Pick<Correspondence, "asked">;
  /** Where a run outlives the agent. */
  memory?: CreationMemory;
  /** Aborted when the run is over. */
  signal: AbortSignal;
  log: Logger;
}

/** Nothing is asked of the hub before the run asks for something. */
export function createSubtasks(
  {
    hub,
    attempt,
    access,
    codec,
    correspondence = createCorrespondence(),
    memory = NO_MEMORY,
    signal,
    log,
  }: SubtasksOptions,
): Subtasks {
  /** The run's place in its trace: what it asks for comes from elsewhere, such as a proxy. */
  const trace = traceparent();
  const own = new Set<number>();
  /** Subtasks of which the answer has not arrived: who asks again meanwhile gets the same one. */
  const creating = new Map<string, Promise<Created>>();

  async function get<T>(path: string, schema: z.ZodType<T>, options: HubRequest = {}): Promise<T> {
    const { token } = await access();
    return await hub.insist(path, schema, { maxBytes: MOST_BYTES, signal, ...options, token });
  }

  async function send(body: TaskBody, key: string): Promise<Created> {
    const { token } = await access();
    const created = await persist(() =>
      hub.request("/task", createdSchema, {
        method: "POST",
        token,
        signal,
        headers: {
          "idempotency-key": key,
          ...(trace === undefined ? {} : { [TRACEPARENT_HEADER]: trace }),
        },
        body,
        timeoutMs: 300_000,
      }), {
      what: "create a subtask",
      log,
      signal,
      retryable: (error) => error instanceof HubError && error.retryable,
    });
    // Before anybody can ask for its results.
    await correspondence.asked(created.id, sharesSchema.parse(body).organizations);
    return created;
  }

  return {
    get,

    async encodeInputs(organizations) {
      const encoded = [];
      for (const organization of organizations) {
        const { id, input } = organization;
        const isWritten = input === undefined || isBlobId(input);
        encoded.push(
          isWritten ? organization : { ...organization, input: await codec.encode(input, id) },
        );
      }
      return encoded;
    },

    async create(key, write) {
      const writeOurs = async () => ({ ...await write(), parent_attempt: attempt });
      const making = creating.get(key) ?? createOnce(key, { write: writeOurs, send, memory });
      creating.set(key, making);
      making.catch(() => creating.delete(key));
      const created = await making;
      own.add(created.id);
      return created;
    },
    delivered: (key) => void creating.delete(key),
    isOwn: (taskId) => own.has(taskId),

    async whenOver(taskId, { mostMs = Infinity, signal: asker } = {}) {
      const until = performance.now() + mostMs;
      const eitherEnd = asker ? AbortSignal.any([signal, asker]) : signal;
      for (let pause = PAUSE_MS.first;; pause = Math.min(PAUSE_MS.most, pause * 2)) {
        const left = (until - performance.now()) / 1000;
        const wait = Number(Math.max(0, Math.min(HOLD_SECONDS, left)).toFixed(1));
        const answer = await get(`/task/${taskId}/status?wait=${wait}`, statusSchema, {
          timeoutMs: (HOLD_SECONDS + 15) * 1000,
          signal: eitherEnd,
        });
        if (!isOpen(answer.status) || performance.now() >= until) return answer;
        // The hub answers at once when it cannot hold the question.
        await delay(pause, undefined, { signal: eitherEnd })
          .catch(() => eitherEnd.throwIfAborted());
      }
    },

    openReader: (mostBytes = MOST_BYTES) =>
      openReader(async (blobId) => {
        const { token } = await access();
        return hub.download(blobId, { token, signal });
      }, mostBytes),
  };
}

/** Reads stored results, all of them together no larger than an algorithm gets at once. */
function openReader(
  download: (blobId: string) => Promise<Pieces>,
  mostBytes: number,
): ReadStored {
  let room = mostBytes;
  return async function readStored({ result, blob_storage_used }) {
    if (!result) return null;
    if (!blob_storage_used) {
      // The answer in which it stands has its own bound.
      room -= result.length;
      return result;
    }
    const blob = await collect(await download(result), { maxBytes: room });
    room -= blob.length;
    return blob;
  };
}
