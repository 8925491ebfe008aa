/**
 * Answers what an algorithm in the sandbox asks for while it runs.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Guard } from "../disclosure/guarded/guard.ts";
import type { SubtaskClient } from "../subtasks/sandbox_client.ts";
import { type Answer, type Call, FrameError } from "./frames.ts";

/** Calls that a runner may have under way at once. */
export const MAX_CALLS = 16;

const subtaskSchema = z.object({
  organizations: z.array(z.number().int().positive()).min(1),
  input: z.looseObject({ method: z.string() }),
  name: z.string().exactOptional(),
  description: z.string().exactOptional(),
});

const resultsSchema = z.object({
  taskId: z.number().int(),
  failed: z.enum(["throw", "keep"]).exactOptional(),
});

/**
 * Returns a function that does what a call asks for; what goes wrong becomes the algorithm's
 * exception.
 */
export function createAnswerer(
  { client, guard }: { client: SubtaskClient; guard: Pick<Guard, "ask"> },
  send: (answer: Answer) => Promise<void>,
): (call: Call) => void {
  let underWay = 0;

  async function ask({ what, input }: Call): Promise<unknown> {
    if (what === "organizations") return await client.organizations();
    if (what === "results") {
      const { taskId, ...options } = parse(what, resultsSchema, input);
      return await client.results(taskId, options);
    }
    if (what === "aggregates") return await guard.ask(input);
    return await client.createTask(parse(what, subtaskSchema, input));
  }

  async function reply(call: Call) {
    const answer = await ask(call).then(
      (value) => ({ id: call.id, value: value ?? null }),
      (error) => ({ id: call.id, error: messageOf(error) }),
    );
    // Until the runner has read it, the answer takes memory here.
    await send(answer);
    underWay--;
  }

  return function answer(call) {
    // The runner keeps to half of this; only an algorithm that speaks in its name does not.
    if (underWay === 2 * MAX_CALLS) {
      throw new FrameError("The algorithm asked for too much at once.");
    }
    underWay++;
    reply(call);
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
