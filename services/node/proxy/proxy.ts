/**
 * The algorithm proxy: the hub as an algorithm's container sees it, with the field's paths and shapes.
 *
 * It serves one run: whoever does not carry that run's secret is refused. It knows no other paths than those listed
 * here, gives lists in one page, holds questions about a task until it is over, and never makes a subtask twice.
 * @module
 */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { messageOf } from "../../../shared/errors.ts";
import type { Logger } from "../../../shared/log.ts";
import { FormatError } from "../encryption/formats.ts";
import { KeyError } from "../encryption/keys.ts";
import { persist, sleep } from "../hub/backoff.ts";
import { type Hub, HubError, type HubRequest } from "../hub/hub.ts";
import { collect } from "../payload/pieces.ts";
import { createBlobs, isBlobId, type ProxyBlobs } from "./blobs.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import type { Posted } from "./posted.ts";
import { carriesToken, type Grant } from "./token.ts";

/** Seconds for which the hub holds a question about a task that is not finished. */
const HOLD_SECONDS = 25;
const UNFINISHED = ["pending", "initializing", "active"];
/** Old clients ask for the whole task each second; that is held, but not for ever. */
const TASK_HOLD_MS = 20_000;
const MAX_BODY = 512 * 2 ** 20;

export interface ProxyOptions {
  hub: Hub;
  /** The run's own secret. */
  token: string;
  /** The hub's token for this run, and where it belongs. */
  access: () => Promise<{ token: string; grant: Grant }>;
  codec: PayloadCodec;
  posted: Posted;
  blobs: ProxyBlobs;
  /** Wraps the time in which the run only waits. */
  whileWaiting: <T>(work: () => Promise<T>) => Promise<T>;
  /** Aborted when the run is over. */
  signal: AbortSignal;
  log: Logger;
}

export type ProxyContext = { completed: Promise<void> };
export type Proxy = (request: Request, context: ProxyContext) => Response | Promise<Response>;

/** Looser than what the hub checks: it has the last word. */
const taskBody = z.looseObject({
  organizations: z.array(z.looseObject({ id: z.number().int(), input: z.string().optional() })),
});
const createdSchema = z.looseObject({ id: z.number().int() });
const statusSchema = z.looseObject({ status: z.string() });
const resultSchema = z.looseObject({
  result: z.string().nullish(),
  blob_storage_used: z.boolean().default(false),
});
const listSchema = z.looseObject({ data: z.array(z.unknown()) });

/** What is passed on as it is. */
const PASSED_ON = [
  "/organization/:id{[0-9]+}",
  "/collaboration/:id{[0-9]+}",
  "/study/:id{[0-9]+}",
  "/run/:id{[0-9]+}",
];
const LISTS = ["/organization", "/study", "/run"];

export function createProxy(
  { hub, token, access, codec, posted, blobs: blobOptions, whileWaiting, signal, log }:
    ProxyOptions,
): Proxy {
  const app = new Hono<{ Bindings: ProxyContext }>();
  const creating = new Map<string, Promise<z.infer<typeof createdSchema>>>();
  const own = new Set<number>();
  const blobs = createBlobs({ ...blobOptions, hub, access, codec, signal, log });

  async function get<T>(path: string, schema: z.ZodType<T>, options: HubRequest = {}): Promise<T> {
    return await hub.insist(path, schema, { signal, ...options, token: (await access()).token });
  }

  /** The path and query of a request to the hub, without pages: the hub gives everything then. */
  function pathOf(url: string): string {
    const { pathname, searchParams } = new URL(url);
    for (const name of ["page", "per_page"]) searchParams.delete(name);
    return searchParams.size ? `${pathname}?${searchParams}` : pathname;
  }

  async function list(path: string) {
    return { ...await get(path, listSchema, { timeoutMs: 600_000 }), links: {} };
  }

  /** Waits until the task is finished, at most so long, and not for an asker who has gone. */
  async function holdUntilOver(
    taskId: string,
    mostMs: number,
    asker: AbortSignal,
  ): Promise<z.infer<typeof statusSchema>> {
    const until = performance.now() + mostMs;
    const eitherEnd = AbortSignal.any([signal, asker]);
    for (let pause = 5;; pause = Math.min(1000, pause * 2)) {
      const wait = Math.max(0, Math.min(HOLD_SECONDS, (until - performance.now()) / 1000));
      const answer = await get(`/task/${taskId}/status?wait=${wait.toFixed(1)}`, statusSchema, {
        timeoutMs: (HOLD_SECONDS + 15) * 1000,
        signal: eitherEnd,
      });
      if (!UNFINISHED.includes(answer.status) || performance.now() >= until) return answer;
      await sleep(pause, eitherEnd);
    }
  }

  async function decoded(result: z.infer<typeof resultSchema>) {
    if (result.result && result.blob_storage_used && await blobs.areKnown()) return result;
    const stored = result.result && result.blob_storage_used
      ? await collect(hub.download(result.result, { token: (await access()).token, signal }))
      : result.result;
    const text = stored
      ? await codec.decode(stored).catch((error) => {
        log.warn("A result of a subtask cannot be decrypted", { reason: messageOf(error) });
        return result.result;
      })
      : result.result;
    return { ...result, result: text, blob_storage_used: false };
  }

  async function createTask(body: z.infer<typeof taskBody>, key: string) {
    const { token } = await access();
    const organizations: Record<string, unknown>[] = [];
    for (const { input, ...organization } of body.organizations) {
      organizations.push({
        ...organization,
        ...(input === undefined ? {} : {
          // What lies in a blob was encrypted on its way there.
          input: isBlobId(input) ? input : await codec.encode(input, organization.id),
        }),
      });
    }
    return await persist(() =>
      hub.request("/task", createdSchema, {
        method: "POST",
        token,
        signal,
        headers: { "idempotency-key": key },
        body: { ...body, organizations },
        timeoutMs: 300_000,
      }), {
      what: "create a subtask",
      log,
      signal,
      retryable: (error) => error instanceof HubError && error.retryable,
    });
  }

  app.get("/version", async (c) => c.json(await hub.request("/version", z.unknown(), { signal })));
  app.get("/health", (c) => c.json({ ok: true }));

  app.use(async function onlyThisRun(c, next) {
    if (!carriesToken(c.req.raw, token)) return c.json({ msg: "This is not your proxy." }, 401);
    return await next();
  });

  app.route("/", blobs.routes);

  app.post("/task", async function createSubtask(c) {
    if (Number(c.req.header("content-length") ?? 0) > MAX_BODY) {
      return c.json({ msg: "The task is too large." }, 413);
    }
    const text = await c.req.text();
    const body = taskBody.safeParse(parseJson(text));
    if (!body.success || body.data.organizations.length === 0) {
      return c.json({ msg: "The task must name its organizations, each with an id." }, 400);
    }
    const { digest, key } = await posted.key(text);
    // Who asks again while the first request is under way gets the same answer.
    const making = creating.get(key) ?? createTask(body.data, key);
    creating.set(key, making);
    making.catch(() => creating.delete(key));
    const created = await making;
    own.add(created.id);
    c.env.completed.then(async () => {
      await posted.delivered(digest);
      creating.delete(key);
    }, () => {});
    return c.json(created, 201);
  });

  app.get("/task/:id{[0-9]+}/status", async function taskStatus(c) {
    const id = c.req.param("id");
    const hold = () => holdUntilOver(id, Infinity, c.req.raw.signal);
    // What is not the run's own could be the run itself, which would compute on and count as waiting.
    return c.json(await (own.has(Number(id)) ? whileWaiting(hold) : hold()));
  });

  app.get("/task/:id{[0-9]+}", async function task(c) {
    const id = c.req.param("id");
    if (own.has(Number(id))) {
      await whileWaiting(() => holdUntilOver(id, TASK_HOLD_MS, c.req.raw.signal));
    }
    return c.json(await get(pathOf(c.req.url), z.unknown()));
  });

  app.get("/result", async function results(c) {
    if (!c.req.query("task_id")) return c.json({ msg: "task_id is missing." }, 400);
    const { data, ...rest } = await list(pathOf(c.req.url));
    const items = z.array(resultSchema).parse(data);
    return c.json({ ...rest, data: await Promise.all(items.map(decoded)) });
  });

  app.get("/result/:id{[0-9]+}", async function result(c) {
    const schema = resultSchema;
    return c.json(await decoded(await get(pathOf(c.req.url), schema, { timeoutMs: 600_000 })));
  });

  for (const path of PASSED_ON) {
    app.get(path, async (c) => c.json(await get(pathOf(c.req.url), z.unknown())));
  }
  for (const path of LISTS) {
    app.get(path, async (c) => c.json(await list(pathOf(c.req.url))));
  }
  app.get(
    "/vpn/algorithm/addresses",
    async (c) => c.json(await get(pathOf(c.req.url), z.unknown())),
  );

  app.notFound((c) =>
    c.json({ msg: `An algorithm may not ask for ${c.req.method} ${c.req.path}.` }, 403)
  );
  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ msg: error.message }, error.status);
    if (error instanceof HubError && error.status !== undefined) {
      return c.json({ msg: error.message }, error.status as 400);
    }
    // The algorithm should know that this organization cannot be written to.
    if (error instanceof KeyError || error instanceof FormatError) {
      log.warn("A subtask cannot be encrypted", { reason: error.message });
      return c.json({ msg: error.message }, 400);
    }
    if (!signal.aborted && !c.req.raw.signal.aborted) {
      log.error("The algorithm proxy failed", { error });
    }
    return c.json({ msg: "Request failed, see node logs" }, 500);
  });

  return (request, context) => app.fetch(request, context);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
