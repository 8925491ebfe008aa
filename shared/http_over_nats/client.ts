import { messageOf, SextantError } from "../service/errors.ts";
import { type Logger, silentLogger } from "../service/log.ts";
import type { BrokerConnection, Msg, PublishOptions } from "../broker/connection.ts";
import { type HubService, type ServiceName, subjects } from "../broker/subjects.ts";
import {
  type ChunkReader,
  control,
  createReceiver,
  createSender,
  readChunks,
  type Receiver,
  type Sender,
} from "./body.ts";
import {
  ALIVE_EVERY_MS,
  ALL_REPLICAS,
  decodeFrame,
  decodeReplica,
  decodeResponse,
  decodeText,
  encodeFrame,
  encodeMeta,
  encodeText,
  type Frame,
  KIND,
  messageHeaders,
  SILENCE_MS,
  TICKS,
  WINDOW,
} from "./frames.ts";

export interface HttpClientOptions {
  nc: BrokerConnection;
  /** Whose inbox the answers come to. */
  owner?: ServiceName;
  log?: Logger;
  /** How long an answer may take to begin once the request is sent, and its body to move on, in milliseconds. */
  timeoutMs?: number;
  /** How often to say that this side is still there. */
  aliveEveryMs?: number;
  /** How long the other side may be silent. */
  silenceMs?: number;
}

export interface HttpRequestOptions {
  /** Who asks, as the service will see it. */
  principal?: unknown;
  requestId?: string;
  /** Breaks the exchange off, beside `request.signal`. */
  signal?: AbortSignal;
}

export interface HttpClient {
  /**
   * Sends a request to a service and resolves with its answer once that begins. Throws a SextantError when there
   * is none: `unavailable` or `timeout`; and what the request's own body failed with.
   */
  request(service: HubService, request: Request, options?: HttpRequestOptions): Promise<Response>;
  /** Breaks off what is under way. */
  close(): void;
}

/** One request under way. */
interface Exchange {
  number: string;
  service: HubService;
  resolve: (response: Response) => void;
  reject: (reason: unknown) => void;
  began: number;
  /** When the last part of the request went out; a body may take as long as it likes while it moves on. */
  lastMoved: number;
  lastHeard: number;
  lastSent: number;
  /** The first message, until someone has answered it. */
  request: Uint8Array | undefined;
  /** It may be asked a second time: it only reads, and is whole. */
  repeatable: boolean;
  replica: string | undefined;
  body: ChunkReader | undefined;
  sender: Sender | undefined;
  receiver: Receiver | undefined;
  /** Stops listening to the asker's signals. */
  release: () => void;
}

const RETRY_FOR_MS = 2000;
const RETRY_EVERY_MS = 50;
const READS = new Set(["GET", "HEAD"]);
const NULL_BODY_STATUS = new Set([204, 205, 304]);

function unavailable(service: HubService, why: string, cause?: unknown): SextantError {
  return new SextantError("unavailable", `The ${service} service is not answering; ${why}.`, {
    cause,
  });
}

/** Makes the client of one process: all its exchanges share one subscription. */
export function createHttpClient({
  nc,
  owner = "gateway",
  log = silentLogger,
  timeoutMs = 120_000,
  aliveEveryMs = ALIVE_EVERY_MS,
  silenceMs = SILENCE_MS,
}: HttpClientOptions): HttpClient {
  const me = crypto.randomUUID().replaceAll("-", "");
  const inbox = `${subjects.inbox(owner)}.${me}`;
  const tickMs = aliveEveryMs / TICKS;
  const exchanges = new Map<string, Exchange>();
  let counter = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  function publish(exchange: Exchange, frame: Uint8Array, options?: PublishOptions) {
    exchange.lastSent = Date.now();
    const { service, replica = ALL_REPLICAS, number } = exchange;
    try {
      nc.publish(subjects.httpExchange(service, replica, `${me}-${number}`), frame, options);
    } catch (error) {
      if (exchanges.has(exchange.number)) {
        fail(exchange, unavailable(exchange.service, "NATS is gone", error));
      }
    }
  }
  function sendAlive(exchange: Exchange) {
    // With a reply subject the broker tells at once when that replica is not there any more.
    publish(exchange, control(KIND.alive, exchange.sender, exchange.receiver), {
      reply: `${inbox}.${exchange.number}`,
    });
  }
  function publishRequest(exchange: Exchange) {
    nc.publish(subjects.http(exchange.service), exchange.request!, {
      reply: `${inbox}.${exchange.number}`,
    });
  }

  function forget(exchange: Exchange): boolean {
    if (!exchanges.delete(exchange.number)) return false;
    exchange.release();
    if (exchanges.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    return true;
  }
  /** Ends an exchange that failed: rejects the answer, or breaks its body off. */
  function fail(exchange: Exchange, reason: unknown) {
    if (!forget(exchange)) return;
    exchange.sender?.fail(reason);
    exchange.body?.cancel(reason);
    exchange.reject(reason);
    exchange.receiver?.fail(reason);
  }
  /** The same, and tells the service. */
  function breakOff(exchange: Exchange, reason: unknown) {
    if (!exchanges.has(exchange.number)) return;
    const text = encodeText(messageOf(reason));
    publish(exchange, control(KIND.abort, exchange.sender, exchange.receiver, text));
    fail(exchange, reason);
  }
  function finish(exchange: Exchange) {
    if (!forget(exchange)) return;
    // An answer may come before the service has read the whole request; it wants no more.
    exchange.sender?.fail(new Error("The service has answered"));
    exchange.body?.cancel(new Error("The service has answered"));
  }

  /**
   * A replica that is killed takes along what it was just given. What only reads is asked once more, under another
   * number, so that answers to the first cannot mix with the second's.
   */
  function askAgain(exchange: Exchange) {
    exchanges.delete(exchange.number);
    exchange.number = String(counter++);
    exchange.repeatable = false;
    exchanges.set(exchange.number, exchange);
    publishRequest(exchange);
  }

  function watch() {
    const now = Date.now();
    for (const exchange of [...exchanges.values()]) {
      const { service } = exchange;
      if (exchange.request && exchange.repeatable && now - exchange.began > 3 * tickMs) {
        askAgain(exchange);
      } else if (now - exchange.lastHeard > silenceMs) {
        const why = `nothing was heard of it for ${silenceMs / 1000} s`;
        breakOff(exchange, unavailable(service, why));
      } else if (!exchange.receiver && now - exchange.lastMoved > timeoutMs) {
        const why = exchange.sender?.done === false
          ? `The request's body did not move on for ${timeoutMs / 1000} s.`
          : `The ${service} service did not answer within ${timeoutMs / 1000} s.`;
        breakOff(exchange, new SextantError("timeout", why));
      } else if (exchange.replica && now - exchange.lastSent >= aliveEveryMs) {
        sendAlive(exchange);
      }
    }
  }

  function onMessage(message: Msg) {
    const exchange = exchanges.get(message.subject.slice(inbox.length + 1));
    if (!exchange) return; // ended while this was on its way
    if (message.headers?.code === 503 && message.data.length === 0) return onNobody(exchange);
    const frame = decodeFrame(message.data);
    if (!frame) return log.warn("A message was dropped", { subject: message.subject });
    exchange.lastHeard = Date.now();
    exchange.request = undefined;
    exchange.sender?.grant(frame.credit);
    switch (frame.kind) {
      case KIND.alive:
        return onAlive(exchange, frame);
      case KIND.head:
        return onHead(exchange, frame);
      case KIND.data:
      case KIND.end:
        return onBody(exchange, frame);
      case KIND.abort: {
        const why = `The ${exchange.service} service broke off: ${decodeText(frame.rest)}.`;
        return fail(exchange, new SextantError("unavailable", why));
      }
      default:
        log.warn("A message was dropped", { subject: message.subject, kind: frame.kind });
    }
  }

  /** Nobody listens where this exchange's last message went. */
  function onNobody(exchange: Exchange) {
    if (!exchange.request) {
      return fail(exchange, unavailable(exchange.service, "the replica that had begun is gone"));
    }
    if (Date.now() - exchange.began > RETRY_FOR_MS) {
      return fail(exchange, unavailable(exchange.service, "try again in a moment"));
    }
    setTimeout(() => {
      if (exchanges.has(exchange.number) && exchange.request) publishRequest(exchange);
    }, RETRY_EVERY_MS);
  }

  function onAlive(exchange: Exchange, frame: Frame) {
    const first = !exchange.replica;
    exchange.replica ??= decodeReplica(frame.rest);
    if (first && exchange.replica) startUpload(exchange);
    if (exchange.receiver) onBody(exchange, frame);
  }
  function onHead(exchange: Exchange, frame: Frame) {
    if (exchange.receiver) return; // came twice
    const response = decodeResponse(frame.rest);
    if (!response) {
      return breakOff(exchange, unavailable(exchange.service, "its answer cannot be read"));
    }
    const { meta: { status, headers, replica }, body } = response;
    const init = { status, headers };
    if (frame.complete) {
      const whole = NULL_BODY_STATUS.has(status) ? null : body as Uint8Array<ArrayBuffer>;
      exchange.resolve(new Response(whole, init));
      return finish(exchange);
    }
    exchange.replica ??= replica;
    exchange.receiver = createReceiver({
      first: body,
      onCredit: () => sendAlive(exchange),
      onCancel: (reason) => breakOff(exchange, reason ?? new Error("nobody reads the answer")),
    });
    exchange.resolve(new Response(exchange.receiver.stream, init));
  }
  function onBody(exchange: Exchange, frame: Frame) {
    if (!exchange.receiver) return breakOff(exchange, lost(exchange, "its beginning was lost"));
    const problem = exchange.receiver.take(frame);
    if (problem) return breakOff(exchange, lost(exchange, problem));
    if (exchange.receiver.complete) finish(exchange);
  }
  function lost(exchange: Exchange, problem: string): SextantError {
    return new SextantError(
      "unavailable",
      `The answer of the ${exchange.service} service did not arrive whole: ${problem}.`,
    );
  }

  async function startUpload(exchange: Exchange) {
    const { sender, body } = exchange;
    if (!sender || !body) return;
    try {
      await sender.run(body);
    } catch (error) {
      breakOff(exchange, error);
    }
  }

  async function request(
    service: HubService,
    request: Request,
    { principal, requestId, signal }: HttpRequestOptions = {},
  ): Promise<Response> {
    const signals = signal ? [signal, request.signal] : [request.signal];
    for (const one of signals) one.throwIfAborted();
    const body = request.body ? readChunks(request.body) : undefined;
    const first = body ? await body.next() : { parts: [], size: 0, done: true };
    if (!await nc.whenConnected(RETRY_FOR_MS)) throw unavailable(service, "NATS is not reachable");
    // An asker who went away meanwhile would not be heard to go any more.
    for (const one of signals) one.throwIfAborted();

    const meta = encodeMeta({
      method: request.method,
      path: request.url.slice(request.url.indexOf("/", request.url.indexOf("://") + 3)),
      headers: messageHeaders(request.headers),
      ...(principal === undefined ? {} : { principal }),
      ...(requestId === undefined ? {} : { request_id: requestId }),
    });
    const frame = { complete: first.done, credit: WINDOW };
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const now = Date.now();
    const exchange: Exchange = {
      number: String(counter++),
      service,
      resolve,
      reject,
      began: now,
      lastMoved: now,
      lastHeard: now,
      lastSent: now,
      request: encodeFrame(KIND.request, frame, ...meta, ...first.parts),
      repeatable: READS.has(request.method) && first.done,
      replica: undefined,
      body: first.done ? undefined : body,
      sender: first.done ? undefined : createSender((kind, seq, parts) => {
        const credit = exchange.receiver?.credit ?? WINDOW;
        exchange.lastMoved = Date.now();
        publish(exchange, encodeFrame(kind, { seq, credit }, ...parts));
      }),
      receiver: undefined,
      release() {
        for (const one of signals) one.removeEventListener("abort", onAbort);
      },
    };
    function onAbort(event: Event) {
      breakOff(exchange, (event.target as AbortSignal).reason);
    }
    for (const one of signals) one.addEventListener("abort", onAbort);
    exchanges.set(exchange.number, exchange);
    timer ??= setInterval(watch, tickMs);
    try {
      publishRequest(exchange);
    } catch (error) {
      fail(exchange, unavailable(service, "the request cannot be sent", error));
    }
    return await promise;
  }

  const subscription = nc.subscribe(`${inbox}.*`, {
    callback(error, message) {
      if (error) return log.error("Answers cannot be heard", { error });
      try {
        onMessage(message);
      } catch (error) {
        // An exception here would end the client library's read loop for good.
        log.error("A message could not be handled", { subject: message.subject, error });
      }
    },
  });
  // What was under way when the connection broke is lost on one side or the other; nobody need wait for it.
  const unwatch = nc.watch((connected) => {
    if (connected) return;
    for (const exchange of [...exchanges.values()]) {
      fail(exchange, unavailable(exchange.service, "the connection to NATS was lost meanwhile"));
    }
  });
  return {
    request,
    close() {
      unwatch();
      for (const exchange of [...exchanges.values()]) {
        breakOff(exchange, unavailable(exchange.service, "the gateway is closing"));
      }
      subscription.unsubscribe();
    },
  };
}
