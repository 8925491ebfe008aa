/**
 * Traces: which part did what for a request, and for how long, from the client to the algorithm and
 * back. A span is a piece of work; where one is done is carried along by `traceparent`, in headers
 * and messages.
 *
 * What a span tells are ids, and words of lists that are closed: no value, no name of a column or
 * of a person, no text of an error. Deno's own traces tell addresses with their queries and, by
 * default, all that is logged; of the first they cannot be kept: therefore these are our own.
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { EventName } from "../messages/events.ts";
import type { ResultStatus } from "../node_protocol/status.ts";

/** What a span can tell. Numbers are ids and counts. */
export interface SpanAttributes {
  method?: string;
  status_code?: number;
  event?: EventName;
  status?: ResultStatus;
  task_id?: number;
  /** Shared by a task and all its descendants. */
  run_id?: number;
  result_id?: number;
  attempt?: number;
  node_id?: number;
  count?: number;
}

export interface Span {
  /** Adds what was not known at its begin. */
  set(attributes: SpanAttributes): void;
}

export interface SpanOptions {
  /**
   * The span in whose course this is done, as it came from elsewhere; unless it can be read, that
   * in which this is called.
   */
  parent?: string | null | undefined;
  kind?: "internal" | "server" | "client" | "producer" | "consumer";
  attributes?: SpanAttributes;
}

export interface Tracer {
  /** Whether spans are kept. */
  readonly on: boolean;
  /**
   * Does `work` in a span that ends with it; what it calls has that span as its parent. `name` is
   * of words that the program knows.
   *
   * ```ts
   * await tracer.span("report finish", { kind: "client" }, () => send(report));
   * ```
   */
  span<Result>(
    name: string,
    options: SpanOptions,
    work: (span: Span) => Promise<Result>,
  ): Promise<Result>;
  /** Sends what is left. */
  close(): Promise<void>;
}

const NO_SPAN: Span = { set() {} };

/** Keeps nothing, and costs nothing. */
export const noTracer: Tracer = {
  on: false,
  span: (_name, _options, work) => work(NO_SPAN),
  close: () => Promise.resolve(),
};

const place = new AsyncLocalStorage<string>();

/** The span in which this is called, for what goes elsewhere; `undefined` outside of traces. */
export function traceparent(): string | undefined {
  return place.getStore();
}

/** Does `work` as part of a trace, without a span of its own. */
export function within<Result>(traceparent: string | undefined, work: () => Result): Result {
  return traceparent === undefined ? work() : place.run(traceparent, work);
}
