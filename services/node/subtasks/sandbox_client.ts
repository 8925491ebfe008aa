/**
 * Subtasks as an algorithm in the sandbox sees them: functions whose answers are the results
 * themselves.
 * @module
 */
import { z } from "zod";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { FairTurns } from "../../../shared/service/fair_turns.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { WantedResult } from "../../../shared/payload/label.ts";
import type { Payloads } from "../encryption/payloads.ts";
import { RefusedPayloadError } from "../../../shared/payload/unreadable_error.ts";
import { NO_QUESTIONS, NO_SUBTASKS } from "../disclosure/exit.ts";
import type { Hub } from "../hub/hub.ts";
import { TooLargeError } from "../payload/pieces.ts";
import { isJson, RawJson } from "../payload/raw_json.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { askAccessOnce } from "./grant.ts";
import { createCorrespondence } from "./correspondence.ts";
import { explainFailure, type Parts, readParts } from "./parts.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import { createSubtasks, isTooLarge, MOST_BYTES, MOST_MIB, SMALL_BYTES } from "./subtasks.ts";

/**
 * What an algorithm may ask of the hub while it runs. A rejection becomes an exception in the
 * algorithm.
 */
export interface SubtaskClient {
  /** The organizations that take part in the task's collaboration or study. */
  organizations(): Promise<{ id: number; name: string }[]>;
  /** Makes a subtask with the same algorithm and databases. */
  createTask(task: SubtaskRequest): Promise<{ id: number }>;
  /**
   * Waits until a subtask has finished; rejects when a part of it failed, or with `keep` waits for
   * the other parts, and tells of it.
   */
  results(taskId: number, options?: ResultsOptions): Promise<PartialResult[]>;
}

export interface SubtaskRequest {
  organizations: number[];
  /** {method, args?, kwargs?} as JSON in UTF-8: it may be large, and is passed on unread. */
  input: Uint8Array<ArrayBuffer>;
  name?: string;
  description?: string;
}

export interface ResultsOptions {
  failed?: "throw" | "keep";
  /** Waited for before results are read that are large. */
  beforeLarge?: () => Promise<void>;
}

/** One organization's part of a subtask. */
export interface PartialResult {
  organization_id: number;
  status: string;
  /** A {@linkcode RawJson} where the results are large. */
  result: unknown;
  /** Why there is none, of a part that failed. */
  reason?: string;
}

/**
 * For a run that has seen rows: what it would send along is looked at by nobody, and what it asks
 * for, whichever task it names, could tell of them.
 */
export const CLOSED_CLIENT: SubtaskClient = {
  organizations: () => Promise.reject(new Error(NO_QUESTIONS)),
  createTask: () => Promise.reject(new Error(NO_SUBTASKS)),
  results: () => Promise.reject(new Error(NO_QUESTIONS)),
};

const id = z.number().int();
const organizationsSchema = z.object({ data: z.array(z.object({ id, name: z.string() })) });
const resultsSchema = z.object({
  data: z.array(z.object({
    id,
    result: z.string().nullable(),
    blob_storage_used: z.boolean().default(false),
  })),
});
type Stored = z.infer<typeof resultsSchema>;

export interface SubtaskClientOptions {
  hub: Hub;
  payloads: Pick<Payloads, "codecOf">;
  /** The run in whose name everything happens. */
  dispatch: Dispatch;
  log: Logger;
  /** Aborted when the run ends. */
  signal: AbortSignal;
  /** Wraps the time in which the run only waits. */
  whileWaiting: <T>(work: () => Promise<T>) => Promise<T>;
  /** In which all runs of the agent do what takes much of its memory. */
  largeTurns: FairTurns<string>;
}

/** What a stored result is; of one that cannot be read, the reason. */
type Content = { value: unknown } | { unreadable: string };

/**
 * The client of one attempt. Nothing is asked of the hub before the algorithm asks for something.
 */
export function createSubtaskClient(
  { hub, payloads, dispatch, log, signal, whileWaiting, largeTurns }: SubtaskClientOptions,
): SubtaskClient {
  const run = attemptKey(dispatch);
  const access = askAccessOnce(hub, dispatch, signal);
  const correspondence = createCorrespondence();
  const codec = payloads.codecOf(dispatch, correspondence);
  const subtasks = createSubtasks({
    hub,
    attempt: dispatch.attempt,
    access,
    codec,
    correspondence,
    signal,
    log,
  });
  let count = 0;

  function askResults(taskId: number, maxBytes: number): Promise<Stored> {
    return subtasks.get(`/result?task_id=${taskId}`, resultsSchema, { maxBytes });
  }

  /**
   * What the results of a subtask are, by the ids of its runs; of one that cannot be read, the
   * reason. Rejects with a {@linkcode TooLargeError} for more than `mostBytes`.
   */
  async function readResults(
    taskId: number,
    runs: Parts["runs"],
    { stored: { data }, mostBytes }: { stored: Stored; mostBytes: number },
  ): Promise<Map<number, Content>> {
    const organizationOf = new Map(runs.map(({ id, organization }) => [id, organization.id]));
    const readStored = subtasks.openReader(mostBytes);
    const valueOf = mostBytes > SMALL_BYTES ? passOn : parse;
    const contents = new Map<number, Content>();
    for (const result of data) {
      const stored = await readStored(result);
      if (stored === null) continue;
      const wanted = { taskId, resultId: result.id, organizationId: organizationOf.get(result.id) };
      contents.set(result.id, await read(stored, { codec, wanted, valueOf }));
    }
    return contents;
  }

  /** Large results, which are not read here: one run after the other, for each takes memory. */
  function readLarge(taskId: number, runs: Parts["runs"]): Promise<Map<number, Content>> {
    return largeTurns(run, async () => {
      const stored = await askResults(taskId, MOST_BYTES);
      return await readResults(taskId, runs, { stored, mostBytes: MOST_BYTES }).catch((error) => {
        if (!(error instanceof TooLargeError)) throw error;
        throw new Error(
          `The results of subtask ${taskId} are larger than the ${MOST_MIB} MiB that an algorithm gets at once.`,
        );
      });
    });
  }

  return {
    async organizations() {
      const { collaboration_id, study_id } = (await access()).grant;
      const scope = study_id === null
        ? `collaboration_id=${collaboration_id}`
        : `study_id=${study_id}`;
      return (await subtasks.get(`/organization?${scope}`, organizationsSchema)).data;
    },

    async createTask({ organizations, input, name = "subtask", description = "" }) {
      const key = `${run}-${++count}`;
      // Each of them gets its own, in base64.
      const bytes = organizations.length * Math.ceil(input.length / 3) * 4;
      if (bytes > MOST_BYTES) {
        throw new Error(
          `createTask() cannot take that: its input for ${organizations.length} organizations ` +
            `is larger than the ${MOST_MIB} MiB that an algorithm sends at once.`,
        );
      }
      const { collaboration_id, study_id, databases } = (await access()).grant;

      async function write() {
        const content = input.toBase64();
        return {
          name,
          description,
          image: dispatch.image,
          collaboration_id,
          ...(study_id === null ? {} : { study_id }),
          organizations: await subtasks.encodeInputs(
            organizations.map((id) => ({ id, input: content })),
          ),
          databases,
          // Whether the others are of use then is the algorithm's to say, with results().
          keep_going: true,
        };
      }
      const create = () => subtasks.create(key, write);
      const { id } = bytes > SMALL_BYTES ? await largeTurns(run, create) : await create();
      subtasks.delivered(key);
      return { id };
    },

    async results(taskId, { failed = "throw", beforeLarge } = {}) {
      if (!subtasks.isOwn(taskId)) {
        throw new Error(`Task ${taskId} is not a subtask that this run created.`);
      }
      return await whileWaiting(async () => {
        const { status } = await subtasks.whenOver(taskId);
        const isWhole = status === "completed";
        // Then nothing moves any more, and both are asked for at once.
        const early = isWhole ? askResults(taskId, SMALL_BYTES) : undefined;
        early?.catch(() => {});
        const { runs, reasons } = await readParts(taskId, {
          subtasks,
          untilAllEnd: failed === "keep",
          signal,
        });
        if (!isWhole && failed === "throw") {
          throw new Error(explainFailure(taskId, status, { runs, reasons }));
        }
        const contents = await Promise.resolve(early ?? askResults(taskId, SMALL_BYTES))
          .then((stored) => readResults(taskId, runs, { stored, mostBytes: SMALL_BYTES }))
          .catch(async (error) => {
            if (!isTooLarge(error)) throw error;
            await beforeLarge?.();
            return await readLarge(taskId, runs);
          });
        return showResults({ runs, reasons }, { contents, failed });
      });
    },
  };
}

/** The results as the algorithm gets them. Throws for one that cannot be read, or says so in it. */
function showResults(
  { runs, reasons }: Parts,
  { contents, failed }: { contents: Map<number, Content>; failed: "throw" | "keep" },
): PartialResult[] {
  return runs.map(({ id, status, organization }) => {
    const content = contents.get(id);
    const unreadable = !reasons.has(id) && content && "unreadable" in content;
    if (unreadable && failed === "throw") throw new Error(content.unreadable);
    const reason = unreadable ? content.unreadable : reasons.get(id);
    return {
      organization_id: organization.id,
      // Whoever keeps what there is must not count it among what is.
      status: unreadable ? "failed" : status,
      result: reason === undefined ? valueOf(content) : null,
      ...(reason === undefined ? {} : { reason }),
    };
  });
}

function parse(content: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
}

async function passOn(content: Uint8Array): Promise<RawJson> {
  const raw = new RawJson(content);
  if (!await isJson(raw.bytes)) throw new SyntaxError("no JSON");
  return raw;
}

async function read(
  stored: string | Uint8Array,
  { codec, wanted, valueOf }: {
    codec: PayloadCodec;
    wanted: WantedResult & { taskId: number };
    valueOf: (content: Uint8Array) => unknown;
  },
): Promise<Content> {
  try {
    return { value: await valueOf(Uint8Array.fromBase64(await codec.decode(stored, wanted))) };
  } catch (error) {
    const which = `A result of subtask ${wanted.taskId}`;
    if (error instanceof RefusedPayloadError) {
      return { unreadable: `${which} is refused: ${error.message}.` };
    }
    return {
      unreadable:
        `${which} cannot be read: it is not JSON, was damaged, or was encrypted for another key.`,
    };
  }
}

function valueOf(content: Content | undefined): unknown {
  return content && "value" in content ? content.value : null;
}
