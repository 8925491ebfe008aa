/**
 * Answers what an algorithm in the sandbox asks for while it runs.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Guard } from "../disclosure/guarded/guard.ts";
import { createTurns, takeTurn } from "../../../shared/service/turns.ts";
import { isJson } from "../payload/raw_json.ts";
import type { SubtaskClient, SubtaskRequest } from "../subtasks/sandbox_client.ts";
import { type Answer, type Call, FrameError, type TaskCall } from "./frames.ts";

/** Calls that a runner may have under way at once. */
export const MAX_CALLS = 16;

/** An input up to this many bytes does not keep its run from asking for more. */
const SMALL_BYTES = 64 * 1024;
/** Organizations of one subtask. */
const MOST_ORGANIZATIONS = 10_000;

const subtaskSchema = z.object({
  organizations: z.array(z.number().int().positive()).min(1).max(MOST_ORGANIZATIONS)
    .refine((all) => new Set(all).size === all.length, "must name each once"),
  name: z.string().exactOptional(),
  description: z.string().exactOptional(),
});

const resultsSchema = z.object({
  taskId: z.number().int(),
  failed: z.enum(["throw", "keep"]).exactOptional(),
});

export interface Answerer {
  /** Answers a call; throws a {@linkcode FrameError} for one too many. */
  call(call: Call): void;
  /** Makes a subtask with this input, the JSON in UTF-8; throws like {@linkcode Answerer.call}. */
  task(call: TaskCall, input: Uint8Array<ArrayBuffer>): void;
  /**
   * Resolves when no subtask with a large input is being made: before that nothing more is to be
   * read from the run, so that the agent holds one such input of each run at most.
   */
  whenRoom(): Promise<void>;
}

/**
 * Does what calls ask for; what goes wrong becomes the algorithm's exception. A call may wait for
 * days, so nothing of its frame is held but what the schemas here name.
 */
export function createAnswerer(
  { client, guard }: { client: SubtaskClient; guard: Pick<Guard, "ask"> },
  send: (answer: Answer) => Promise<void>,
): Answerer {
  let underWay = 0;
  let large: Promise<unknown> = Promise.resolve();
  /** One large answer after the other, each until the runner has read it. */
  const largeAnswers = createTurns(1);

  // Neither is async: an async function holds its arguments until it ends.
  function ask({ what, input }: Call, turn: { end?: () => void }): Promise<unknown> {
    if (what === "organizations") return client.organizations();
    if (what === "aggregates") return guard.ask(input);
    const { taskId, ...options } = parse(what, resultsSchema, input);
    return client.results(taskId, {
      ...options,
      async beforeLarge() {
        turn.end = await takeTurn(largeAnswers);
      },
    });
  }

  function createTask({ about }: TaskCall, input: Uint8Array<ArrayBuffer>): Promise<unknown> {
    const created = make({ ...parse("createTask", subtaskSchema, about), input });
    if (input.length > SMALL_BYTES) large = created.catch(() => {});
    return created;
  }

  async function make(task: SubtaskRequest): Promise<{ id: number }> {
    if (await isJson(task.input)) return await client.createTask(task);
    throw new Error("createTask() cannot take that: input: must be JSON.");
  }

  async function reply(id: number, asked: Promise<unknown>, turn: { end?: () => void }) {
    const answer = await asked.then(
      (value) => ({ id, value: value ?? null }),
      (error) => ({ id, error: messageOf(error) }),
    );
    // Until the runner has read it, the answer takes memory here.
    await send(answer);
    turn.end?.();
    underWay--;
  }

  function begin(id: number, work: (turn: { end?: () => void }) => Promise<unknown>) {
    // The runner keeps to half of this; only an algorithm that speaks in its name does not.
    if (underWay === 2 * MAX_CALLS) {
      throw new FrameError("The algorithm asked for too much at once.");
    }
    underWay++;
    const turn = {};
    void reply(id, Promise.try(work, turn), turn);
  }

  return {
    call: (call) => begin(call.id, (turn) => ask(call, turn)),
    task: (call, input) => begin(call.id, () => createTask(call, input)),
    whenRoom: () => large.then(() => {}),
  };
}

function parse<T>(what: string, schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) =>
    [path.join("."), message].filter(Boolean).join(": ")
  );
  throw new Error(`${what}() cannot take that: ${issues.join("; ")}.`);
}
