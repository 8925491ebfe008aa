import { type Logger, silentLogger } from "../service/log.ts";
import type { BrokerConnection, Msg } from "../broker/connection.ts";
import { type HubService, type ServiceName, subjects } from "../broker/subjects.ts";
import { traceparent } from "../tracing/tracer.ts";
import { readChunks } from "./body.ts";
import { ClientExchange, type ClientWire, unavailable } from "./client_exchange.ts";
import { RETRY_FOR_MS, tickMsOf } from "./due.ts";
import {
  ALIVE_EVERY_MS,
  ALL_REPLICAS,
  decodeFrame,
  encodeFrame,
  encodeMeta,
  KIND,
  messageHeaders,
  SILENCE_MS,
  WINDOW,
} from "./frames.ts";

export interface HttpClientOptions {
  nc: BrokerConnection;
  /** Whose inbox the answers come to. */
  owner?: ServiceName;
  log?: Logger;
  /**
   * How long an answer may take to begin once the request is sent, and its body to move on, in
   * milliseconds.
   */
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
  /** Where the request came from. */
  address?: string;
  /** Breaks the exchange off, beside `request.signal`. */
  signal?: AbortSignal;
}

export interface HttpClient {
  /**
   * Sends a request to a service and resolves with its answer once that begins. Throws a
   * SextantError when there is none: `unavailable` or `timeout`; and what the request's own body
   * failed with.
   */
  request(service: HubService, request: Request, options?: HttpRequestOptions): Promise<Response>;
  /** Breaks off what is under way. */
  close(): void;
}

const READS = new Set(["GET", "HEAD"]);

/** Makes the client of one process: all its exchanges share one subscription. */
export function createHttpClient({
  nc,
  owner = "gateway",
  log = silentLogger,
  timeoutMs = 120_000,
  aliveEveryMs = ALIVE_EVERY_MS,
  silenceMs = SILENCE_MS,
}: HttpClientOptions): HttpClient {
  const limits = { timeoutMs, aliveEveryMs, silenceMs };
  const exchanges = createExchanges(nc, owner, tickMsOf(limits));

  function onMessage(message: Msg) {
    const exchange = exchanges.of(message.subject);
    if (!exchange) return; // ended while this was on its way
    if (message.headers?.code === 503 && message.data.length === 0) return exchange.hearNobody();
    const frame = decodeFrame(message.data);
    if (!frame) return log.warn("A message was dropped", { subject: message.subject });
    if (!exchange.hear(frame)) {
      log.warn("A message was dropped", { subject: message.subject, kind: frame.kind });
    }
  }

  async function request(
    service: HubService,
    request: Request,
    { principal, requestId, address, signal }: HttpRequestOptions = {},
  ): Promise<Response> {
    const signals = signal ? [signal, request.signal] : [request.signal];
    for (const one of signals) one.throwIfAborted();
    const body = request.body ? readChunks(request.body) : undefined;
    const first = body ? await body.next() : { parts: [], size: 0, done: true };
    if (!await nc.whenConnected(RETRY_FOR_MS)) throw unavailable(service, "NATS is not reachable");
    // An asker who went away meanwhile would not be heard to go any more.
    for (const one of signals) one.throwIfAborted();

    const trace = traceparent();
    const meta = encodeMeta({
      method: request.method,
      path: request.url.slice(request.url.indexOf("/", request.url.indexOf("://") + 3)),
      headers: messageHeaders(request.headers),
      ...(principal === undefined ? {} : { principal }),
      ...(requestId === undefined ? {} : { request_id: requestId }),
      ...(address === undefined ? {} : { address }),
      ...(trace === undefined ? {} : { traceparent: trace }),
    });
    const frame = { complete: first.done, credit: WINDOW };
    const exchange = exchanges.open((wire, number) =>
      new ClientExchange({
        wire,
        number,
        service,
        request: encodeFrame(KIND.request, frame, ...meta, ...first.parts),
        repeatable: READS.has(request.method) && first.done,
        body: first.done ? undefined : body,
        limits,
      })
    );
    exchange.start(signals);
    return await exchange.answer;
  }

  const subscription = nc.subscribe(exchanges.allInboxes, {
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
  // What was under way when the connection broke is lost on one side or the other; nobody need wait
  // for it.
  const unwatch = nc.watch((connected) => {
    if (connected) return;
    for (const exchange of exchanges.all()) {
      exchange.fail(
        unavailable(exchange.service, "the connection to NATS was lost meanwhile"),
      );
    }
  });
  return {
    request,
    close() {
      unwatch();
      for (const exchange of exchanges.all()) {
        exchange.breakOff(unavailable(exchange.service, "the gateway is closing"));
      }
      subscription.unsubscribe();
    },
  };
}

/** The exchanges under way, each under a number; looked at regularly while there are any. */
function createExchanges(nc: BrokerConnection, owner: ServiceName, tickMs: number) {
  const me = crypto.randomUUID().replaceAll("-", "");
  const inbox = `${subjects.inbox(owner)}.${me}`;
  const byNumber = new Map<string, ClientExchange>();
  let counter = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  const all = () => [...byNumber.values()];
  const inboxOf = ({ number }: ClientExchange) => `${inbox}.${number}`;

  const wire: ClientWire = {
    sendRequest(exchange, request) {
      nc.publish(subjects.http(exchange.service), request, { reply: inboxOf(exchange) });
    },
    sendFrame(exchange, frame, askBack) {
      const { service, replica = ALL_REPLICAS, number } = exchange;
      const subject = subjects.httpExchange(service, replica, `${me}-${number}`);
      nc.publish(subject, frame, askBack ? { reply: inboxOf(exchange) } : undefined);
    },
    renumber(exchange) {
      byNumber.delete(exchange.number);
      const number = String(counter++);
      byNumber.set(number, exchange);
      return number;
    },
    forget(exchange) {
      byNumber.delete(exchange.number);
      if (byNumber.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    },
  };

  return {
    all,
    /** Where all their answers come. */
    allInboxes: `${inbox}.*`,
    /** The one whose inbox this is. */
    of: (subject: string) => byNumber.get(subject.slice(inbox.length + 1)),
    open(make: (wire: ClientWire, number: string) => ClientExchange): ClientExchange {
      const exchange = make(wire, String(counter++));
      byNumber.set(exchange.number, exchange);
      timer ??= setInterval(() => all().forEach((one) => one.tick()), tickMs);
      return exchange;
    },
  };
}
