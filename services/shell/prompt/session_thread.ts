/**
 * The session behind the prompt, in a thread of its own: what is typed may run for ever, and can
 * then be ended while the terminal goes on.
 *
 * This file is both ends: what the prompt starts, and what runs in the thread.
 * @module
 */
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { CannotStart, ShellError } from "../errors.ts";
import { allAnswered, isQuery } from "../records/query.ts";
import { startSession } from "../session.ts";
import { explain } from "../show/explain.ts";
import { render } from "../show/render.ts";
import { terminalWidth } from "../../../shared/command_line/table.ts";
import { complete } from "./complete.ts";
import { createEvaluator, type Evaluator, type Outcome } from "./evaluator.ts";
import { afterFailure, beforeEvaluation } from "./habits.ts";

/** How a statement ended; what it gave is printed by then. */
export type Ending =
  | { kind: "value" | "error" | "abandoned" }
  /** It goes on in the next line; with `unless`, that is only likely. */
  | { kind: "incomplete"; unless?: string }
  /** The thread is over; `code` when it was what was typed that ended it. */
  | { kind: "ended"; code?: number };

export interface SessionThread {
  /** One line for each connection. */
  connections: string[];
  evaluate(statement: string): Promise<Ending>;
  /** The candidates for the end of a line, and the part of it that they would replace. */
  complete(line: string): Promise<[string[], string]>;
  /** Ends what can be ended, or else no longer waits for it; `false` when nothing answers. */
  interrupt(): Promise<boolean>;
  end(): Promise<void>;
}

export interface SessionThreadOptions {
  /** The data folder. */
  data: string;
  /** Has the operator answer a question, on a line of the terminal. */
  ask(question: string): Promise<string>;
}

type Calls = Pick<SessionThread, "evaluate" | "complete"> & {
  interrupt(): true;
  answer(text: string): void;
  close(): Promise<void>;
};
interface Call {
  number: number;
  method: keyof Calls;
  argument: string;
}
type Told =
  | { kind: "opened"; connections: string[] }
  | { kind: "failed"; reason: string }
  | { kind: "question"; question: string }
  | { kind: "done"; number: number; value: unknown };

/** How long a thread may take to say that it was interrupted, before it counts as stuck. */
const STUCK_MS = 1000;

// -- the prompt's end -----------------------------------------------------------------------------

/** Opens a session; throws a line that says why it cannot. */
export async function startSessionThread(
  { data, ask }: SessionThreadOptions,
): Promise<SessionThread> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { data } });
  const pending = new Map<number, (value: unknown) => void>();
  const { promise: opening, resolve: opened, reject: failed } = Promise.withResolvers<string[]>();
  const { promise: over, resolve: ended } = Promise.withResolvers<Ending>();
  let calls = 0;
  let ending = false;

  worker.on("message", (told: Told) => {
    if (told.kind === "opened") opened(told.connections);
    else if (told.kind === "failed") failed(new CannotStart(told.reason));
    else if (told.kind === "question") ask(told.question).then((text) => call("answer", text));
    else pending.get(told.number)?.(told.value);
  });
  worker.on("error", failed);
  worker.on("exit", (code) => ended({ kind: "ended", ...(ending ? {} : { code }) }));

  function call<Method extends keyof Calls>(method: Method, argument = "") {
    const number = ++calls;
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<Calls[Method]>>>();
    pending.set(number, (value) => {
      pending.delete(number);
      resolve(value as Awaited<ReturnType<Calls[Method]>>);
    });
    worker.postMessage({ number, method, argument } satisfies Call);
    return promise;
  }

  return {
    connections: await opening,
    evaluate: (statement) => Promise.race([call("evaluate", statement), over]),
    complete: (line) => call("complete", line),
    interrupt: () => Promise.race([call("interrupt"), after(STUCK_MS).then(() => false)]),
    async end() {
      ending = true;
      await Promise.race([call("close"), over, after(STUCK_MS)]);
      await worker.terminate();
    },
  };
}

/** Keeps no program alive. */
function after(milliseconds: number): Promise<void> {
  return delay(milliseconds, undefined, { ref: false });
}

// -- the thread's end -----------------------------------------------------------------------------

if (!isMainThread && parentPort) await serve(parentPort, workerData.data);

async function serve(port: NonNullable<typeof parentPort>, data: string): Promise<void> {
  const tell = (told: Told) => port.postMessage(told);
  // What was started in passing fails in passing.
  for (const kind of ["unhandledrejection", "error"] as const) {
    globalThis.addEventListener(kind, (event) => {
      event.preventDefault();
      printError((event as { reason?: unknown }).reason ?? (event as ErrorEvent).error);
    });
  }
  let answered = (_text: string) => {};
  let abandon = (_ending: Ending) => {};
  try {
    const session = await startSession(data, {
      say: (line) => console.error(line),
      ask(question) {
        tell({ kind: "question", question });
        return new Promise((resolve) => answered = resolve);
      },
    });
    const evaluator = await createEvaluator();
    const globals = ["db", "sql", "await", "const", "new"];
    const calls: Calls = {
      evaluate(statement) {
        const { promise, resolve } = Promise.withResolvers<Ending>();
        abandon = resolve;
        return Promise.race([evaluateShown(evaluator, statement), promise]);
      },
      complete: (line) => complete(line, { evaluator, shell: session.shell, globals }),
      interrupt() {
        if (!session.interrupt()) abandon({ kind: "abandoned" });
        return true;
      },
      answer: (text) => answered(text),
      async close() {
        evaluator.close();
        await allAnswered();
        await session.close();
      },
    };
    port.on("message", async ({ number, method, argument }: Call) => {
      tell({ kind: "done", number, value: await calls[method](argument) });
    });
    tell({ kind: "opened", connections: session.connections });
  } catch (error) {
    tell({ kind: "failed", reason: explain(error) });
  }
}

/** Statements of which nobody expects a value. */
const NO_VALUE =
  /^\s*(const|let|var|function|async function|class|for|while|if|switch|try|throw)\b/;

/** Evaluates and shows; a promise at the end is waited for. */
async function evaluateShown(evaluator: Evaluator, statement: string): Promise<Ending> {
  try {
    const habit = beforeEvaluation(statement);
    if (habit) throw new ShellError(habit);
    const outcome = await evaluator.evaluate(statement);
    if (outcome.kind === "error") throw outcome.error;
    if (outcome.kind === "incomplete") return incomplete(outcome);
    const value = await outcome.value;
    if (value !== undefined || !NO_VALUE.test(statement)) {
      process.stdout.write(render(value, terminalWidth()) + "\n");
    }
    // What is printed is what is held, also when nobody typed `await`.
    await evaluator.settle(statement, isQuery);
    return { kind: "value" };
  } catch (error) {
    const habit = afterFailure(statement, error);
    printError(habit ? new ShellError(habit) : error);
    return { kind: "error" };
  }
}

function incomplete({ unless }: Outcome & { kind: "incomplete" }): Ending {
  return { kind: "incomplete", ...(unless ? { unless: unless.message } : {}) };
}

function printError(error: unknown): void {
  process.stdout.write(`Error: ${explain(error)}\n`);
}
