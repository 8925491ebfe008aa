/**
 * Subtasks as a container makes them and waits for them, with v6's paths and shapes.
 * @module
 */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type { FileMemory } from "../creation_memory.ts";
import { collect, piecesOf, TooLargeError } from "../../payload/pieces.ts";
import { MOST_BYTES, MOST_MIB, SMALL_BYTES, type Subtasks } from "../subtasks.ts";
import { hubPathOf } from "./questions.ts";
import type { ProxyEnv } from "./turns.ts";

/** Old clients of v6 ask for the whole task each second; that is held, but not for ever. */
const TASK_HOLD_MS = 20_000;

/** Looser than what the hub checks: it has the last word. */
const taskBody = z.looseObject({
  organizations: z.array(z.looseObject({ id: z.number().int(), input: z.string().optional() })),
});

const TOO_LARGE = `The task is larger than the ${MOST_MIB} MiB that a run's proxy takes. ` +
  "Where the hub offers blobs, upload its inputs as such (POST /blobstream).";

export interface TaskRoutesOptions {
  subtasks: Subtasks;
  memory: FileMemory;
  /** Wraps the time in which the run only waits. */
  whileWaiting: <T>(work: () => Promise<T>) => Promise<T>;
  /** How long a body may take to come. */
  patienceMs: number;
}

export function createTaskRoutes(
  { subtasks, memory, whileWaiting, patienceMs }: TaskRoutesOptions,
): Hono<ProxyEnv> {
  const routes = new Hono<ProxyEnv>();

  routes.post("/task", async function createSubtask(c) {
    const declared = Number(c.req.header("content-length"));
    if (declared > MOST_BYTES) throw new HTTPException(413, { message: TOO_LARGE });
    // Nor is it known to be small when it does not say how long it is.
    if (!declared || declared > SMALL_BYTES) await c.get("takeLargeTurn")();
    const text = await readText(c.req.raw, patienceMs);
    const body = taskBody.safeParse(parseJson(text));
    if (!body.success || body.data.organizations.length === 0) {
      return c.json({ msg: "The task must name its organizations, each with an id." }, 400);
    }
    const key = await memory.keyOf(text);
    const created = await subtasks.create(key.key, async () => ({
      ...body.data,
      organizations: await subtasks.encodeInputs(body.data.organizations),
    }));
    c.env.completed.then(async () => {
      await memory.delivered(key);
      subtasks.delivered(key.key);
    }, () => {});
    return c.json(created, 201);
  });

  routes.get("/task/:id{[0-9]+}/status", async function taskStatus(c) {
    const id = Number(c.req.param("id"));
    const wait = () => subtasks.whenOver(id, { signal: c.req.raw.signal });
    // What is not the run's own could be the run itself, which would compute on and count as
    // waiting.
    return c.json(await (subtasks.isOwn(id) ? whileWaiting(wait) : wait()));
  });

  routes.get("/task/:id{[0-9]+}", async function task(c) {
    const id = Number(c.req.param("id"));
    if (subtasks.isOwn(id)) {
      const options = { mostMs: TASK_HOLD_MS, signal: c.req.raw.signal };
      await whileWaiting(() => subtasks.whenOver(id, options));
    }
    return c.json(await subtasks.get(hubPathOf(c.req.url), z.unknown()));
  });

  return routes;
}

/** Reads a body: not more of it than may be, and not for longer. */
async function readText({ body }: Request, patienceMs: number): Promise<string> {
  if (!body) return "";
  const patience = new AbortController();
  const late = setTimeout(() => patience.abort(), patienceMs);
  try {
    const timely = body.pipeThrough(new TransformStream(), { signal: patience.signal });
    return new TextDecoder().decode(await collect(piecesOf(timely), { maxBytes: MOST_BYTES }));
  } catch (error) {
    if (error instanceof TooLargeError) throw new HTTPException(413, { message: TOO_LARGE });
    if (!patience.signal.aborted) throw error;
    const message = `The task did not come within ${patienceMs / 1000} s.`;
    throw new HTTPException(408, { message });
  } finally {
    clearTimeout(late);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
