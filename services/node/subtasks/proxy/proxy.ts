/**
 * The algorithm proxy: the hub as an algorithm's container sees it, with v6's paths and shapes.
 *
 * It serves one run: whoever does not carry that run's secret is refused. It knows no other paths
 * than those listed in this folder, gives lists in one page, holds questions about a task until it
 * is over, and never makes a subtask twice.
 * @module
 */
import { Hono, type HonoRequest } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import type { Logger } from "../../../../shared/service/log.ts";
import { NO_QUESTIONS, NO_SUBTASKS } from "../../disclosure/exit.ts";
import { FormatError } from "../../encryption/formats.ts";
import { KeyError } from "../../encryption/keys.ts";
import { type Hub, HubError } from "../../hub/hub.ts";
import { TooLargeError } from "../../payload/pieces.ts";
import { TooManyWaitError } from "../../run/waiting_places.ts";
import type { FileMemory } from "../creation_memory.ts";
import type { Access } from "../grant.ts";
import { type Correspondence, createCorrespondence } from "../correspondence.ts";
import type { PayloadCodec } from "../payload_codec.ts";
import { createSubtasks } from "../subtasks.ts";
import { createAttributions } from "./attributions.ts";
import { createBlobRoutes, type RunBlobs } from "./blobs.ts";
import { createQuestionRoutes } from "./questions.ts";
import { createResultRoutes, TOO_LARGE } from "./results.ts";
import { createTaskRoutes } from "./tasks.ts";
import { carriesToken } from "./token.ts";
import { type InTurn, oneAfterTheOther, type ProxyContext, type ProxyEnv } from "./turns.ts";

export interface ProxyOptions {
  hub: Hub;
  /** Which attempt the run is. */
  attempt: number;
  /**
   * Whether it may ask of the hub, and make subtasks; it may unless said. Else nothing that it asks
   * for is passed on, in whatever words: the hub hears nothing that it could choose.
   */
  maySend?: boolean;
  /** The run's own secret. */
  token: string;
  /** The hub's token for this run, and where it belongs. */
  access: () => Promise<Access>;
  codec: PayloadCodec;
  /** What the run has sent to others, and gets from them. */
  correspondence?: Correspondence;
  /** What is remembered of the subtasks that the run makes. */
  memory: FileMemory;
  blobs: RunBlobs;
  /** Wraps the time in which the run only waits. */
  whileWaiting: <T>(work: () => Promise<T>) => Promise<T>;
  /** Does what takes much of the agent's memory, when it is this run's turn. */
  inLargeTurn: InTurn;
  /** How long a large body or answer may take between the run and its proxy. */
  patienceMs?: number;
  /** Aborted when the run is over. */
  signal: AbortSignal;
  log: Logger;
}

export type Proxy = (request: Request, context: ProxyContext) => Response | Promise<Response>;

const PATIENCE_MS = 60_000;
/** What can be large. */
const LARGE = ["/task", "/result", "/result/:id", "/run", "/run/:id"];

export function createProxy(
  { correspondence = createCorrespondence(), ...given }: ProxyOptions,
): Proxy {
  const options = { correspondence, ...given };
  const { hub, maySend = true, token, memory, blobs: runBlobs, whileWaiting, signal, log } =
    options;
  const { inLargeTurn, patienceMs = PATIENCE_MS } = options;
  const subtasks = createSubtasks(options);
  const blobs = createBlobRoutes({ ...options, ...runBlobs, subtasks });
  const attributions = createAttributions();
  const app = new Hono<ProxyEnv>();

  // Before the run can have seen anything; programs wait for this answer.
  const early = maySend ? undefined : hub.insist("/version", z.unknown(), { signal });
  early?.catch(() => {});
  const version = () => early ?? hub.request("/version", z.unknown(), { signal });
  app.get("/version", async (c) => c.json(await version()));
  app.get("/health", (c) => c.json({ ok: true }));

  app.use(async function onlyThisRun(c, next) {
    if (!carriesToken(c.req.raw, token)) return c.json({ msg: "This is not your proxy." }, 401);
    return await next();
  });

  app.use(async function passesNothingOn(c, next) {
    if (maySend) return await next();
    const asks = ["GET", "HEAD"].includes(c.req.method);
    return c.json({ msg: asks ? NO_QUESTIONS : NO_SUBTASKS }, 403);
  });

  app.route("/", blobs.routes);

  const takeTurn = oneAfterTheOther({ inLargeTurn, patienceMs });
  for (const path of LARGE) app.use(path, takeTurn);

  app.route("/", createTaskRoutes({ subtasks, memory, whileWaiting, patienceMs }));
  const { areKnown: areBlobsKnown } = blobs;
  app.route("/", createResultRoutes({ ...options, subtasks, areBlobsKnown, attributions }));
  app.route("/", createQuestionRoutes(subtasks, attributions));

  app.notFound((c) =>
    c.json({ msg: `An algorithm may not ask for ${c.req.method} ${c.req.path}.` }, 403)
  );
  app.onError((error, c) => {
    const { status, msg } = explain(error, c.req);
    return c.json({ msg }, status as 400);
  });

  /** What an algorithm hears of an error. */
  function explain(error: Error, request: HonoRequest): { status: number; msg: string } {
    if (error instanceof HTTPException) return { status: error.status, msg: error.message };
    if (error instanceof HubError && error.status !== undefined) {
      return { status: error.status, msg: error.message };
    }
    if (error instanceof TooLargeError) return { status: 422, msg: TOO_LARGE };
    if (error instanceof TooManyWaitError) return { status: 503, msg: error.message };
    // The algorithm should know that this organization cannot be written to.
    if (error instanceof KeyError || error instanceof FormatError) {
      log.warn("A subtask cannot be encrypted", { reason: error.message });
      return { status: 400, msg: error.message };
    }
    if (!signal.aborted && !request.raw.signal.aborted) {
      log.error("The algorithm proxy failed", { error });
    }
    return { status: 500, msg: "Request failed, see node logs" };
  }

  return (request, context) => app.fetch(request, context);
}
