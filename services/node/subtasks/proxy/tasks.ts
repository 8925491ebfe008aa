/**
 * Subtasks as a container makes them and waits for them, with v6's paths and shapes.
 * @module
 */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import type { FileMemory } from "../creation_memory.ts";
import { MOST_BYTES, MOST_MIB, type Subtasks } from "../subtasks.ts";
import { hubPathOf } from "./questions.ts";
import type { ProxyContext } from "./turns.ts";

/** Old clients of v6 ask for the whole task each second; that is held, but not for ever. */
const TASK_HOLD_MS = 20_000;

/** Looser than what the hub checks: it has the last word. */
const taskBody = z.looseObject({
  organizations: z.array(z.looseObject({ id: z.number().int(), input: z.string().optional() })),
});

const bounded = bodyLimit({
  maxSize: MOST_BYTES,
  onError: (c) =>
    c.json({
      msg: `The task is larger than the ${MOST_MIB} MiB that a run's proxy takes. ` +
        "Where the hub offers blobs, upload its inputs as such (POST /blobstream).",
    }, 413),
});

export interface TaskRoutesOptions {
  subtasks: Subtasks;
  memory: FileMemory;
  /** Wraps the time in which the run only waits. */
  whileWaiting: <T>(work: () => Promise<T>) => Promise<T>;
}

export function createTaskRoutes(
  { subtasks, memory, whileWaiting }: TaskRoutesOptions,
): Hono<{ Bindings: ProxyContext }> {
  const routes = new Hono<{ Bindings: ProxyContext }>();

  routes.post("/task", bounded, async function createSubtask(c) {
    const text = await c.req.text();
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
