import { messageOf, toErrorBody } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import { type BrokerConnection, isInboxOf, type Msg } from "../broker/connection.ts";
import { type HubService, subjects } from "../broker/subjects.ts";
import { tickMsOf } from "./due.ts";
import {
  ALIVE_EVERY_MS,
  ALL_REPLICAS,
  decodeFrame,
  decodeRequest,
  KIND,
  type RequestMeta,
  SILENCE_MS,
} from "./frames.ts";
import { ServerExchange, type ServerWire } from "./server_exchange.ts";

/**
 * What comes with a request beside the request; only parties the broker lets ask can have written
 * it.
 */
export interface RequestExtras {
  principal?: unknown;
  requestId?: string;
  address?: string;
  /** The span in whose course it is asked. */
  traceparent?: string;
  [key: string]: unknown;
}

export interface ServeHttpOptions {
  nc: BrokerConnection;
  service: HubService;
  /** The name of this process among those of the service: letters and digits. */
  replica?: string;
  /** Called for each request; `request.signal` is aborted when the asker goes away. */
  fetch: (request: Request, extras: RequestExtras) => Response | Promise<Response>;
  log: Logger;
  /** Owners of the inboxes into which answers may go. */
  answerTo?: readonly string[];
  /** How often to say that this side is still there, in milliseconds. */
  aliveEveryMs?: number;
  /** How long the other side may be silent. */
  silenceMs?: number;
}

export interface HttpServer {
  /** Takes no more requests; resolves when those under way are done. */
  stop(): Promise<void>;
}

/** Answers a service's requests, shared among its replicas. */
export function serveHttp({
  nc,
  service,
  replica = crypto.randomUUID().replaceAll("-", ""),
  fetch,
  log,
  answerTo = ["gateway", "shell"],
  aliveEveryMs = ALIVE_EVERY_MS,
  silenceMs = SILENCE_MS,
}: ServeHttpOptions): HttpServer {
  const limits = { aliveEveryMs, silenceMs };
  const exchanges = createExchanges(nc, tickMsOf(limits));

  function drop(message: Msg, why: string) {
    log.warn("A message was dropped", { subject: message.subject, reason: why });
  }

  function onRequest(message: Msg) {
    const frame = decodeFrame(message.data);
    const request = frame?.kind === KIND.request ? decodeRequest(frame.rest) : undefined;
    if (!frame || !request) return drop(message, "it is not a request");
    const { reply } = message;
    if (!isInboxOf(reply, answerTo)) return drop(message, "no answer may go where it asks");
    const id = reply.split(".").slice(2).join("-");
    const exchange = new ServerExchange({ wire: exchanges.wire, id, reply, replica, limits });
    exchanges.add(exchange);
    let body: BodyInit | null = null;
    if (!frame.complete) body = exchange.openBody(request.body);
    else if (request.body.length > 0) body = request.body as Uint8Array<ArrayBuffer>;
    answer(exchange, request.meta, body);
  }

  async function answer(exchange: ServerExchange, meta: RequestMeta, body: BodyInit | null) {
    const { request_id, path } = meta;
    let response: Response;
    try {
      const extras: RequestExtras = { principal: meta.principal };
      if (request_id !== undefined) extras.requestId = request_id;
      if (meta.address !== undefined) extras.address = meta.address;
      if (meta.traceparent !== undefined) extras.traceparent = meta.traceparent;
      response = await fetch(toRequest(service, meta, body, exchange.signal), extras);
    } catch (error) {
      log.error("A request failed", { request_id, path, error });
      const { status, body } = toErrorBody(error, request_id);
      response = Response.json(body, { status });
    }
    try {
      await exchange.respond(response);
    } catch (error) {
      if (!exchange.open) return;
      log.error("An answer broke off", { request_id, path, error });
      exchange.breakOff("the answer could not be completed");
    }
  }

  function onFrame(message: Msg) {
    const id = message.subject.split(".")[3]!;
    const frame = decodeFrame(message.data);
    if (!frame) return drop(message, "it is no frame");
    const exchange = exchanges.get(id);
    if (!exchange) return; // ended while this was on its way, or another replica's
    if (!exchange.hear(frame)) drop(message, "it is not part of an exchange");
  }

  /** An exception in a callback would end the client library's read loop for good. */
  function guarded(handle: (message: Msg) => void) {
    return (error: Error | null, message: Msg) => {
      if (error) return log.error("Requests cannot be heard", { reason: messageOf(error) });
      try {
        handle(message);
      } catch (error) {
        log.error("A message could not be handled", { subject: message.subject, error });
      }
    };
  }
  const taking = nc.subscribe(subjects.http(service), {
    queue: service,
    callback: guarded(onRequest),
  });
  const following = [replica, ALL_REPLICAS].map((name) =>
    nc.subscribe(subjects.httpReplica(service, name), { callback: guarded(onFrame) })
  );

  return {
    async stop() {
      if (!taking.isClosed()) await taking.drain();
      await exchanges.ended();
      for (const subscription of following) subscription.unsubscribe();
    },
  };
}

/**
 * The exchanges under way, each under its asker's name; looked at regularly while there are any.
 */
function createExchanges(nc: BrokerConnection, tickMs: number) {
  const byId = new Map<string, ServerExchange>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let idle = () => {};

  function tick() {
    for (const exchange of [...byId.values()]) exchange.tick();
  }
  const wire: ServerWire = {
    send: (exchange, frame) => nc.publish(exchange.reply, frame),
    forget(exchange) {
      byId.delete(exchange.id);
      if (byId.size > 0) return;
      clearInterval(timer);
      timer = undefined;
      idle();
    },
  };
  return {
    wire,
    get: (id: string) => byId.get(id),
    add(exchange: ServerExchange) {
      byId.set(exchange.id, exchange);
      timer ??= setInterval(tick, tickMs);
    },
    /** Resolves when none is under way. */
    async ended(): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      idle = resolve;
      if (byId.size > 0) await promise;
    },
  };
}

function toRequest(
  service: HubService,
  { method, headers, path }: RequestMeta,
  body: BodyInit | null,
  signal: AbortSignal,
): Request {
  const request = new Request(`http://${service}${path}`, { method, headers, body });
  // A signal given to the constructor is followed by one of the request's own, over weak
  // references; that costs more than all the rest of the request object.
  Object.defineProperty(request, "signal", { value: signal });
  return request;
}
