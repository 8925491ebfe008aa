/**
 * The algorithm proxy: the hub as an algorithm's container sees it, with the field's paths and shapes.
 *
 * It serves one run: whoever does not carry that run's secret is refused. It knows no other paths than those listed
 * here, gives lists in one page, holds questions about a task until it is over, and never makes a subtask twice.
 * @module
 */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import { isOpen } from "../../../shared/node_protocol/status.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { FormatError } from "../encryption/formats.ts";
import { KeyError } from "../encryption/keys.ts";
import { persist, sleep } from "../hub/backoff.ts";
import { type Hub, HubError, type HubRequest } from "../hub/hub.ts";
import { collect, TooLargeError } from "../payload/pieces.ts";
import { createBlobs, type ProxyBlobs } from "./blobs.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import { type Created, createdSchema, type Posted } from "./posted.ts";
import { carriesToken, type Grant } from "./token.ts";
import { createTurns, inTurn, type ProxyContext } from "./turns.ts";

/** Seconds for which the hub holds a question about a task that is not finished. */
const HOLD_SECONDS = 25;
/** Old clients ask for the whole task each second; that is held, but not for ever. */
const TASK_HOLD_MS = 20_000;
/** What a run's proxy holds in memory of a task that is made, or of an answer. Blobs are for what is larger. */
const MOST_MIB = 64;
const MOST_BYTES = MOST_MIB * 2 ** 20;

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

export type Proxy = (request: Request, context: ProxyContext) => Response | Promise<Response>;

/** Looser than what the hub checks: it has the last word. */
const taskBody = z.looseObject({
  organizations: z.array(z.looseObject({ id: z.number().int(), input: z.string().optional() })),
});
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
/** What can be large. */
const IN_TURN = ["/task", "/result", "/result/:id", "/run", "/run/:id"];

const bounded = bodyLimit({
  maxSize: MOST_BYTES,
  onError: (c) =>
    c.json({
      msg: `The task is larger than the ${MOST_MIB} MiB that a run's proxy takes. ` +
        "Where the hub offers blobs, upload its inputs as such (POST /blobstream).",
    }, 413),
});

/** Bytes that still fit into an answer. */
type Room = { bytes: number };

export function createProxy(
  { hub, token, access, codec, posted, blobs: blobOptions, whileWaiting, signal, log }:
    ProxyOptions,
): Proxy {
  const app = new Hono<{ Bindings: ProxyContext }>();
  const creating = new Map<string, Promise<Created>>();
  const own = new Set<number>();
  const blobs = createBlobs({ ...blobOptions, hub, access, codec, signal, log });

  async function get<T>(path: string, schema: z.ZodType<T>, options: HubRequest = {}): Promise<T> {
    const { token } = await access();
    return await hub.insist(path, schema, { maxBytes: MOST_BYTES, signal, ...options, token });
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
      if (!isOpen(answer.status) || performance.now() >= until) return answer;
      await sleep(pause, eitherEnd);
    }
  }

  async function decoded(result: z.infer<typeof resultSchema>, room: Room) {
    if (result.result && result.blob_storage_used && await blobs.areKnown()) return result;
    const stored = result.result && result.blob_storage_used
      ? await collected(result.result, room)
      : result.result;
    const text = stored
      ? await codec.decode(stored).catch((error) => {
        log.warn("A result of a subtask cannot be decrypted", { reason: messageOf(error) });
        return result.result;
      })
      : result.result;
    return { ...result, result: text, blob_storage_used: false };
  }

  /** A blob for those who do not know blobs. */
  async function collected(blobId: string, room: Room): Promise<Uint8Array> {
    const { token } = await access();
    try {
      const blob = await collect(hub.download(blobId, { token, signal }), { maxBytes: room.bytes });
      room.bytes -= blob.length;
      return blob;
    } catch (error) {
      if (!(error instanceof TooLargeError)) throw error;
      throw new HTTPException(422, {
        message: `The results are larger than the ${MOST_MIB} MiB that an algorithm gets in one ` +
          "answer. Where the hub offers blobs, vantage6-algorithm-tools from 4.13 on fetch them as such.",
      });
    }
  }

  async function encoded(body: z.infer<typeof taskBody>): Promise<Record<string, unknown>> {
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
    return { ...body, organizations };
  }

  async function send(body: Record<string, unknown>, key: string): Promise<Created> {
    const { token } = await access();
    return await persist(() =>
      hub.request("/task", createdSchema, {
        method: "POST",
        token,
        signal,
        headers: { "idempotency-key": key },
        body,
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

  const takeTurn = inTurn(createTurns());
  for (const path of IN_TURN) app.use(path, takeTurn);

  app.post("/task", bounded, async function createSubtask(c) {
    const text = await c.req.text();
    const body = taskBody.safeParse(parseJson(text));
    if (!body.success || body.data.organizations.length === 0) {
      return c.json({ msg: "The task must name its organizations, each with an id." }, 400);
    }
    const one = await posted.key(text);
    const { key } = one;
    // Who asks again while the first request is under way gets the same answer.
    const making = creating.get(key) ?? posted.make(key, {
      encode: () => encoded(body.data),
      send: (body) => send(body, key),
    });
    creating.set(key, making);
    making.catch(() => creating.delete(key));
    const created = await making;
    own.add(created.id);
    c.env.completed.then(async () => {
      await posted.delivered(one);
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
    const room = { bytes: MOST_BYTES };
    const all: unknown[] = [];
    for (const item of items) all.push(await decoded(item, room));
    return c.json({ ...rest, data: all });
  });

  app.get("/result/:id{[0-9]+}", async function result(c) {
    const result = await get(pathOf(c.req.url), resultSchema, { timeoutMs: 600_000 });
    return c.json(await decoded(result, { bytes: MOST_BYTES }));
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
