/**
 * Questions between hub services, as NATS requests: JSON in, JSON or an error out.
 *
 * An answer that does not fit into one message is not sent at first, only that it is large; the
 * asker then asks for it in parts.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { ERROR_STATUS, type ErrorCode, SextantError, toErrorBody } from "../service/errors.ts";
import { type Logger, silentLogger } from "../service/log.ts";
import {
  type BrokerConnection,
  isInboxOf,
  type Msg,
  newHeaders,
  RequestStrategy,
} from "../broker/connection.ts";
import { MAX_PAYLOAD } from "../broker/limits.ts";
import { isNobodyThere, isTimeout } from "../broker/errors.ts";
import { HUB_SERVICES, type HubService, subjects } from "../broker/subjects.ts";
import { noTracer, traceparent, type Tracer } from "../tracing/tracer.ts";
import { TRACEPARENT_HEADER } from "../tracing/traceparent.ts";

/** One question a service answers. */
export interface RpcMethod {
  input: z.ZodType;
  /** Receives what `input` parsed. */
  // deno-lint-ignore no-explicit-any -- each method has an input of its own
  handler: (input: any) => unknown;
}

export interface RpcServer {
  /** Takes no more questions; resolves when those under way are answered. */
  stop(): Promise<void>;
}

const ASKERS = ["gateway", ...HUB_SERVICES, "shell"];
const RETRY_FOR_MS = 2000;
const RETRY_EVERY_MS = 50;
const errorSchema = z.object({ error: z.object({ code: z.string(), msg: z.string() }) });
const answerSchema = z.object({ result: z.unknown() });
const largeSchema = z.object({ large: z.literal(true) });

/** Asks for the answer in parts, the end of which is an empty message. */
const PARTS_HEADER = "Sextant-Parts";
/** Room is left for the subject and what the broker adds. */
const PART_BYTES = MAX_PAYLOAD - 4096;
const encoder = new TextEncoder();

/**
 * Answers a service's questions, shared among its replicas. Errors a handler throws go back to the
 * asker as they are when they are a SextantError, else as one sentence.
 */
export function serveRpc(
  nc: BrokerConnection,
  service: HubService,
  methods: Record<string, RpcMethod>,
  { log = silentLogger, tracer = noTracer }: { log?: Logger; tracer?: Tracer } = {},
): RpcServer {
  const underWay = new Set<Promise<void>>();

  async function answer(name: string, payload: Uint8Array): Promise<unknown> {
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (!method) throw new SextantError("not_found", `${service} does not answer "${name}".`);
    const input = method.input.safeParse(parseJson(payload));
    if (!input.success) {
      throw new SextantError(
        "invalid_request",
        `${service} cannot read the question "${name}": ${z.prettifyError(input.error)}`,
      );
    }
    return await method.handler(input.data);
  }
  /** Part of the trace of a request, when the question was asked for one. */
  function traced(name: string, message: Msg): Promise<unknown> {
    const parent = tracer.on && message.headers?.get(TRACEPARENT_HEADER);
    if (!parent) return answer(name, message.data);
    const told = Object.hasOwn(methods, name) ? ` ${name.replaceAll("_", " ")}` : "";
    return tracer.span(
      `answer${told}`,
      { parent, kind: "server" },
      () => answer(name, message.data),
    );
  }
  async function respond(name: string, message: Msg, reply: string): Promise<void> {
    let content: string;
    try {
      content = JSON.stringify({ result: await traced(name, message) ?? null });
    } catch (error) {
      if (!(error instanceof SextantError)) log.error("A question failed", { method: name, error });
      const { code, msg } = toErrorBody(error).body;
      content = JSON.stringify({ error: { code, msg } });
    }
    try {
      const bytes = encoder.encode(content);
      if (message.headers?.has(PARTS_HEADER)) {
        for (let at = 0; at < bytes.length; at += PART_BYTES) {
          nc.publish(reply, bytes.subarray(at, at + PART_BYTES));
        }
        nc.publish(reply);
      } else nc.publish(reply, bytes.length > PART_BYTES ? `{"large":true}` : bytes);
    } catch (error) {
      log.error("An answer cannot be sent", { method: name, error });
    }
  }

  const subscription = nc.subscribe(`rpc.${service}.*`, {
    queue: service,
    callback(error, message) {
      if (error) return log.error("Questions cannot be heard", { error });
      const name = message.subject.split(".")[2]!;
      if (!isInboxOf(message.reply, ASKERS)) {
        return log.warn("A question names a reply subject where no answer may go", {
          method: name,
        });
      }
      const work = respond(name, message, message.reply);
      underWay.add(work);
      work.finally(() => underWay.delete(work));
    },
  });
  return {
    async stop() {
      if (!subscription.isClosed()) await subscription.drain();
      await Promise.all(underWay);
    },
  };
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}

export interface CallRpcOptions {
  /** For each attempt, in milliseconds. */
  timeoutMs?: number;
}

/**
 * Asks a service. While no replica listens it asks again, for two seconds; the question was
 * delivered to nobody, so that is safe. Throws the SextantError of the answer, `unavailable` or
 * `timeout`.
 */
export async function callRpc<Output>(
  nc: BrokerConnection,
  service: HubService,
  method: string,
  input: unknown,
  output: z.ZodType<Output>,
  { timeoutMs = 5000 }: CallRpcOptions = {},
): Promise<Output> {
  const question = JSON.stringify(input ?? null);
  const asking = { nc, service, method, question, timeoutMs };
  let content = parseJson((await request(asking)).data);
  if (largeSchema.safeParse(content).success) content = parseJson(await requestParts(asking));
  const failure = errorSchema.safeParse(content);
  if (failure.success) {
    const { code, msg } = failure.data.error;
    throw new SextantError(Object.hasOwn(ERROR_STATUS, code) ? code as ErrorCode : "internal", msg);
  }
  const parsed = answerSchema.extend({ result: output }).safeParse(content);
  if (parsed.success) return parsed.data.result as Output;
  throw new SextantError("internal", `The ${service} service gave an answer that cannot be read.`, {
    cause: parsed.error,
  });
}

interface Asking {
  nc: BrokerConnection;
  service: HubService;
  method: string;
  /** As JSON. */
  question: string;
  timeoutMs: number;
}

/** Asks once more, for an answer in parts, and puts them together. */
async function requestParts(
  { nc, service, method, question, timeoutMs }: Asking,
): Promise<Uint8Array> {
  const headers = tracedHeaders() ?? newHeaders();
  headers.set(PARTS_HEADER, "true");
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let whole = false;
  const answers = await nc.requestMany(subjects.rpc(service, method), question, {
    strategy: RequestStrategy.SentinelMsg,
    maxWait: timeoutMs,
    headers,
  });
  for await (const { data } of answers) {
    whole = data.length === 0;
    parts.push(new Uint8Array(data));
  }
  if (whole) return new Uint8Array(await new Blob(parts).arrayBuffer());
  throw new SextantError(
    "timeout",
    `The ${service} service did not finish its answer to "${method}" within ${timeoutMs} ms.`,
  );
}

async function request({ nc, service, method, question, timeoutMs }: Asking): Promise<Msg> {
  const subject = subjects.rpc(service, method);
  for (const giveUpAt = Date.now() + RETRY_FOR_MS;;) {
    try {
      const headers = tracedHeaders();
      return await nc.request(subject, question, {
        timeout: timeoutMs,
        ...headers === undefined ? {} : { headers },
      });
    } catch (error) {
      if (isNobodyThere(error) && Date.now() < giveUpAt) {
        await delay(RETRY_EVERY_MS);
        continue;
      }
      if (isTimeout(error)) {
        throw new SextantError(
          "timeout",
          `The ${service} service did not answer "${method}" within ${timeoutMs} ms.`,
          { cause: error },
        );
      }
      throw new SextantError(
        "unavailable",
        `The ${service} service is not answering; try again in a moment.`,
        { cause: error },
      );
    }
  }
}

/** Tells the one who answers in which trace the question is asked. */
function tracedHeaders() {
  const trace = traceparent();
  if (trace === undefined) return undefined;
  const headers = newHeaders();
  headers.set(TRACEPARENT_HEADER, trace);
  return headers;
}
