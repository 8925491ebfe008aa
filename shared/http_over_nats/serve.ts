import { messageOf, toErrorBody } from "../service/errors.ts";
import type { Logger } from "../service/log.ts";
import { type BrokerConnection, isInboxOf, type Msg } from "../broker/connection.ts";
import { type HubService, subjects } from "../broker/subjects.ts";
import { control, createReceiver, createSender, readChunks, type Receiver } from "./body.ts";
import {
  ALIVE_EVERY_MS,
  ALL_REPLICAS,
  decodeFrame,
  decodeRequest,
  decodeText,
  encodeFrame,
  encodeMeta,
  encodeText,
  type Frame,
  KIND,
  messageHeaders,
  type RequestMeta,
  SILENCE_MS,
  TICKS,
  WINDOW,
} from "./frames.ts";

/** What comes with a request beside the request; only parties the broker lets ask can have written it. */
export interface RequestExtras {
  principal?: unknown;
  requestId?: string;
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

/** One request being answered. */
interface Exchange {
  id: string;
  reply: string;
  abort: AbortController;
  sender: ReturnType<typeof createSender>;
  receiver: Receiver | undefined;
  /** The asker knows which replica has it, and so has to show that it is still there. */
  told: boolean;
  lastHeard: number;
  lastSent: number;
}

const NULL_BODY_STATUS = new Set([204, 205, 304]);

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
  const tickMs = aliveEveryMs / TICKS;
  const exchanges = new Map<string, Exchange>();
  let idle = () => {};
  let timer: ReturnType<typeof setInterval> | undefined;

  function publish(exchange: Exchange, frame: Uint8Array) {
    exchange.lastSent = Date.now();
    try {
      nc.publish(exchange.reply, frame);
    } catch (error) {
      if (!exchange.abort.signal.aborted) end(exchange, error);
    }
  }
  function sendAlive(exchange: Exchange) {
    if (!exchange.told) exchange.lastHeard = Date.now();
    exchange.told = true;
    publish(
      exchange,
      control(KIND.alive, exchange.sender, exchange.receiver, encodeText(replica)),
    );
  }

  /** Forgets an exchange; with a reason it is aborted. */
  function end(exchange: Exchange, reason?: unknown) {
    if (!exchanges.delete(exchange.id)) return;
    if (reason !== undefined) {
      exchange.abort.abort(reason);
      exchange.sender.fail(reason);
    }
    exchange.receiver?.fail(reason ?? new Error("The response is complete"));
    if (exchanges.size === 0) {
      clearInterval(timer);
      timer = undefined;
      idle();
    }
  }
  /** Ends an exchange that went wrong here, and tells the asker. */
  function breakOff(exchange: Exchange, reason: string) {
    if (!exchanges.has(exchange.id)) return;
    publish(
      exchange,
      control(KIND.abort, exchange.sender, exchange.receiver, encodeText(reason)),
    );
    end(exchange, new Error(reason));
  }

  function watch() {
    const now = Date.now();
    for (const exchange of [...exchanges.values()]) {
      if (exchange.told && now - exchange.lastHeard > silenceMs) {
        end(exchange, new Error("The asker has gone silent"));
      } else if (now - exchange.lastSent >= (exchange.told ? aliveEveryMs : tickMs)) {
        sendAlive(exchange);
      }
    }
  }

  function drop(message: Msg, why: string) {
    log.warn("A message was dropped", { subject: message.subject, reason: why });
  }

  function onRequest(message: Msg) {
    const frame = decodeFrame(message.data);
    const request = frame?.kind === KIND.request ? decodeRequest(frame.rest) : undefined;
    if (!frame || !request) return drop(message, "it is not a request");
    if (!isInboxOf(message.reply, answerTo)) return drop(message, "no answer may go where it asks");
    const id = message.reply.split(".").slice(2).join("-");
    const now = Date.now();
    const exchange: Exchange = {
      id,
      reply: message.reply,
      abort: new AbortController(),
      sender: createSender((kind, seq, parts) =>
        publish(
          exchange,
          encodeFrame(kind, { seq, credit: exchange.receiver?.credit ?? WINDOW }, ...parts),
        )
      ),
      receiver: undefined,
      told: false,
      lastHeard: now,
      lastSent: now,
    };
    exchanges.set(id, exchange);
    timer ??= setInterval(watch, tickMs);
    let body: BodyInit | null = null;
    if (!frame.complete) {
      exchange.receiver = createReceiver({
        first: request.body,
        onCredit: () => sendAlive(exchange),
        // The handler has read enough; the answer will tell the asker so.
        onCancel: () => {},
      });
      body = exchange.receiver.stream;
      sendAlive(exchange);
    } else if (request.body.length > 0) {
      body = request.body as Uint8Array<ArrayBuffer>;
    }
    answer(exchange, request.meta, body);
  }

  async function answer(exchange: Exchange, meta: RequestMeta, body: BodyInit | null) {
    let response: Response;
    try {
      const request = new Request(`http://${service}${meta.path}`, {
        method: meta.method,
        headers: meta.headers,
        body,
      });
      // A signal given to the constructor is followed by one of the request's own, over weak references; that
      // costs more than all the rest of the request object.
      Object.defineProperty(request, "signal", { value: exchange.abort.signal });
      const extras: RequestExtras = { principal: meta.principal };
      if (meta.request_id !== undefined) extras.requestId = meta.request_id;
      response = await fetch(request, extras);
    } catch (error) {
      log.error("A request failed", { request_id: meta.request_id, path: meta.path, error });
      const { status, body } = toErrorBody(error, meta.request_id);
      response = Response.json(body, { status });
    }
    try {
      await respond(exchange, response);
    } catch (error) {
      if (exchanges.has(exchange.id)) {
        log.error("An answer broke off", { request_id: meta.request_id, path: meta.path, error });
        breakOff(exchange, "the answer could not be completed");
      }
    }
  }

  async function respond(exchange: Exchange, response: Response) {
    const stream = NULL_BODY_STATUS.has(response.status) ? null : response.body;
    const body = stream && readChunks(stream);
    if (body) {
      const { signal } = exchange.abort;
      const stop = () => body.cancel(signal.reason);
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
    }
    const first = body ? await body.next() : { parts: [], size: 0, done: true };
    if (!exchanges.has(exchange.id)) return;
    const { status, headers } = response;
    const meta = encodeMeta({ status, headers: messageHeaders(headers), replica });
    publish(
      exchange,
      encodeFrame(
        KIND.head,
        { complete: first.done, credit: exchange.receiver?.credit ?? WINDOW },
        ...meta,
        ...first.parts,
      ),
    );
    if (!first.done && body) {
      if (!exchange.told) exchange.lastHeard = Date.now();
      exchange.told = true;
      await exchange.sender.run(body);
    }
    end(exchange);
  }

  function onFrame(message: Msg) {
    const id = message.subject.split(".")[3]!;
    const frame = decodeFrame(message.data);
    if (!frame) return drop(message, "it is no frame");
    const exchange = exchanges.get(id);
    if (!exchange) return; // ended while this was on its way, or another replica's
    exchange.lastHeard = Date.now();
    exchange.sender.grant(frame.credit);
    switch (frame.kind) {
      case KIND.data:
      case KIND.end:
      case KIND.alive:
        return takeBody(exchange, frame);
      case KIND.abort:
        return end(exchange, new Error(`The asker broke off: ${decodeText(frame.rest)}`));
      default:
        return drop(message, "it is not part of an exchange");
    }
  }
  function takeBody(exchange: Exchange, frame: Frame) {
    const problem = exchange.receiver?.take(frame);
    if (problem) breakOff(exchange, `the request's body did not arrive whole: ${problem}`);
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
      const { promise, resolve } = Promise.withResolvers<void>();
      idle = resolve;
      if (exchanges.size > 0) await promise;
      for (const subscription of following) subscription.unsubscribe();
    },
  };
}
