/**
 * The main module of every sandbox: imports the algorithm, calls it and speaks to the agent (see
 * `frames.ts`).
 *
 * It must be the main module and must import by a computed specifier: Deno checks no permission for
 * what a main module imports statically (https://docs.deno.com/runtime/fundamentals/security/), so
 * an algorithm that was one could read any file that its user can. It imports as little as it can,
 * because every run waits for it.
 * @module
 */
import type { Aggregates, Context, Subtask, SubtaskResult, Table } from "../algorithms/api.ts";
import {
  checkArguments,
  type Description,
  type Method,
} from "../algorithms/sextant/description.ts";
import type {
  Answer,
  Call,
  ErrorFrame,
  Frame,
  MethodCall,
  StartMessage,
  TaskCall,
} from "./frames.ts";
import { nameKnownRows, type SelectedRows } from "../algorithms/sextant/selection.ts";
import { closest } from "../../../shared/command_line/closest.ts";
import { openTable, TableError } from "../data/table.ts";
import { aggregatesOf, tableWithoutRows } from "../disclosure/guarded/table.ts";
import { readLines } from "./read_lines.ts";

const encoder = new TextEncoder();

// Both streams of the console go the same way, or the order of the lines would be lost.
console.error = console.warn = console.log;

function write(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

function sendFrame(frame: Frame) {
  write(encoder.encode(`\x1e${JSON.stringify(frame)}\n`));
}

// -- what comes from the agent

const waiting = new Map<number, PromiseWithResolvers<unknown>>();
/** Sends calls for which there was no room yet. */
const held: (() => void)[] = [];
let calls = 0;
let maxCalls = 1;

function call(what: Call["what"], input: unknown = null): Promise<unknown> {
  try {
    JSON.stringify(input, refuseLosses);
  } catch (error) {
    return Promise.reject(cannotTake(what, error as Error));
  }
  return ask((id) => sendFrame({ is: "call", id, what, input }));
}

/** Calls by what sends the call with an id. */
function ask(send: (id: number) => void): Promise<unknown> {
  const id = ++calls;
  const answer = Promise.withResolvers<unknown>();
  if (waiting.size < maxCalls) send(id);
  else held.push(() => send(id));
  waiting.set(id, answer);
  return answer.promise;
}

// Not async: what cannot be sent is thrown at once, as by the other calls.
function createTask(task: Subtask): Promise<{ id: number }> {
  const { input, ...about } = task ?? {} as Partial<Subtask>;
  if (typeof input?.method !== "string") {
    const error = new TypeError("createTask() cannot take that: input.method: must be a text.");
    return Promise.reject(error);
  }
  // The agent passes it on unread, so it goes beside the frame.
  let bytes: Uint8Array;
  try {
    bytes = encoder.encode(JSON.stringify(input, refuseLosses));
  } catch (error) {
    return Promise.reject(cannotTake("createTask", error as Error, "input"));
  }
  const frame = (id: number): TaskCall => ({ is: "task", id, about, bytes: bytes.length });
  return ask((id) => {
    sendFrame(frame(id));
    write(bytes);
  }) as Promise<{ id: number }>;
}

/** What cannot be sent as it is, is not sent as something else. */
function cannotTake(what: string, { message }: Error, where?: string): TypeError {
  return new TypeError(`${what}() cannot take that: ${where ? `${where}: ` : ""}${message}`);
}

function takeAnswer(answer: Answer) {
  const asked = waiting.get(answer.id);
  waiting.delete(answer.id);
  held.shift()?.();
  if ("error" in answer) asked?.reject(new Error(answer.error));
  else asked?.resolve(answer.value);
}

// -- what goes to the agent

/** Characters of an error's text that are sent: twice what the agent passes on. */
const MOST_TEXT = 16_000;

function fail(kind: ErrorFrame["kind"], text: string): never {
  sendFrame({ is: "error", kind, text: text.slice(0, MOST_TEXT) });
  Deno.exit(1);
}

/** An error as text, with those lines of its stack that are in the algorithm. */
function describe(error: unknown, algorithm: string): string {
  if (!(error instanceof Error)) return String(error);
  const stack = String(error.stack).split("\n").filter((line) =>
    /^\s+at /.test(line) && line.includes(algorithm)
  );
  // Deno's advice is for who starts a program, not for who writes one for the sandbox.
  const message = error.message.replace(
    /, run again with the --allow-\w+ flag/,
    "; the sandbox does not allow it",
  );
  return [`${error.name}: ${message}`, ...new Set(stack)].join("\n");
}

function failWith(error: unknown, algorithm: string): never {
  const memory = error instanceof RangeError && /alloca|memory/i.test(error.message);
  fail(memory ? "memory" : "thrown", describe(error, algorithm));
}

/**
 * For `JSON.stringify`, which would drop or alter such values without a word. What is undefined may
 * be left out of an object, but not of a list: there JSON has null for it.
 */
function refuseLosses(this: unknown, key: string, value: unknown): unknown {
  const lost = value === undefined && Array.isArray(this) ||
    typeof value === "number" && !Number.isFinite(value) ||
    typeof value === "function" || typeof value === "symbol" || typeof value === "bigint" ||
    value instanceof Map || value instanceof Set || ArrayBuffer.isView(value);
  if (!lost) return value;
  const kind = lostKind(value);
  const shown = typeof value === "number" || typeof value === "bigint" ? ` ${value}` : "";
  throw new TypeError(
    `${key === "" ? "It" : `"${key}"`} is ${kind}${shown}, which JSON cannot hold.`,
  );
}

function lostKind(value: unknown): string {
  if (value === undefined) return "undefined";
  return typeof value === "object" ? `a ${value!.constructor.name}` : `the ${typeof value}`;
}

function toJson(value: unknown): string {
  if (value === undefined) {
    throw new TypeError("The method returned nothing; return null to say so.");
  }
  try {
    return JSON.stringify(value, refuseLosses);
  } catch (error) {
    if (!(error instanceof RangeError) || error.message !== "Invalid string length") throw error;
    throw new RangeError(
      "Its JSON is longer than the 512 MiB that a text can have in the sandbox.",
    );
  }
}

/**
 * Characters of a result that are sent at once; all of it as bytes would take its memory once more.
 */
const PIECE = 256 * 1024;

function sendResult(text: string) {
  const bytes = new Uint8Array(3 * PIECE);
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + PIECE);
    // Not between the two halves of a character.
    if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end--;
    const { written } = encoder.encodeInto(text.slice(at, end), bytes);
    at = end;
    sendFrame({ is: "result", bytes: written, ...(at < text.length ? { more: true } : {}) });
    write(bytes.subarray(0, written));
  }
}

// -- the run

function createContext(
  { databases, access, place }: Pick<StartMessage, "databases" | "access" | "place">,
): Context {
  const tables = new Map<string, Table & Aggregates>();

  function choose(label: string | undefined) {
    const wanted = label ?? (databases.length === 1 ? databases[0]!.label : "default");
    const found = databases.find((database) => database.label === wanted);
    if (found) return found;
    const labels = databases.map((database) => database.label).join(", ") || "none";
    throw new TableError(
      (label ?? null) === null && databases.length > 0
        ? `Name one of the task's databases: ${labels}.`
        : `The task has no database "${wanted}"; it has: ${labels}.`,
    );
  }

  return {
    ...place,
    table(label) {
      const { label: found, path } = choose(label);
      let table = tables.get(found);
      if (!table) {
        const profile = place.disclosure?.profile;
        const rows = path === null
          ? tableWithoutRows(found, { access, profile })
          : openTable(found, path, { tellsRows: !place.disclosure });
        table = Object.assign(rows, aggregatesOf(found, (asked) => call("aggregates", asked)));
        tables.set(found, table);
      }
      return table;
    },
    organizations: () => call("organizations") as ReturnType<Context["organizations"]>,
    createTask,
    results: (taskId, options) =>
      call("results", { ...options, taskId }) as Promise<SubtaskResult[]>,
    log: (...values) => console.log(...values),
  };
}

class InexactError extends Error {}

/** For `JSON.parse`, which would give another number than stands there. */
function refuseInexact(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined) return value;
  const isExact = !/^-?\d{16,}$/.test(source) || String(value) === source ||
    BigInt(value) === BigInt(source);
  if (Number.isFinite(value) && isExact) return value;
  throw new InexactError(
    "The input has a number that a JavaScript number cannot hold, so it would arrive as another " +
      "one. Send it as text; an algorithm in a container image can take it as it is.",
  );
}

/** Reads a call that was too large for a message. */
function readCall(path: string): unknown {
  try {
    return JSON.parse(Deno.readTextFileSync(path), refuseInexact);
  } catch (error) {
    if (error instanceof InexactError) fail("input", error.message);
    if (error instanceof RangeError) failWith(error, path);
    fail(
      "input",
      "The input cannot be read: it must be JSON in UTF-8, which has no NaN or Infinity.",
    );
  }
}

function asCall(call: unknown): MethodCall {
  const { method, args = [], kwargs = {} } = (call ?? {}) as Partial<MethodCall>;
  const fits = typeof method === "string" && Array.isArray(args) &&
    typeof kwargs === "object" && kwargs !== null && !Array.isArray(kwargs);
  if (!fits) fail("input", "The input must be an object with method, args and kwargs.");
  return { method, args, kwargs };
}

/** What `read_self.ts` asks for. */
function selfOf(module: Record<string, unknown>) {
  const functions = Object.keys(module).filter((key) => typeof module[key] === "function");
  return { description: module.description ?? null, functions };
}

function findMethod(module: Record<string, unknown>, name: string) {
  const method = Object.hasOwn(module, name) ? module[name] : undefined;
  if (typeof method === "function") return method;
  const methods = selfOf(module).functions;
  const near = closest(name, methods);
  fail(
    "method",
    `The algorithm has no method "${name}"; it has: ${methods.join(", ") || "none"}.` +
      (near ? ` Did you mean "${near}"?` : ""),
  );
}

/** The arguments that the method is called with: those described, where the algorithm does that. */
function argumentsOf(
  module: Record<string, unknown>,
  { method, args, kwargs }: MethodCall,
  allowWhere: boolean,
) {
  const methods = (module.description as Partial<Description> | undefined)?.methods;
  if (!methods || !Object.hasOwn(methods, method)) {
    return args.length === 0 || Object.keys(kwargs).length > 0 ? [...args, kwargs] : args;
  }
  try {
    const checked = checkArguments(method, methods[method]!, { args, kwargs });
    if (!allowWhere) refuseConditions(methods[method]!, checked);
    return [checked];
  } catch (error) {
    fail("input", error instanceof Error ? error.message : String(error));
  }
}

function refuseConditions({ arguments: described }: Method, checked: Record<string, unknown>) {
  const condition = Object.keys(checked).find((name) => described[name]!.type === "condition");
  if (condition === undefined) return;
  throw new TypeError(
    `This node does not allow the argument "${condition}", which chooses rows by a condition: ` +
      "policies.allow_where is false.",
  );
}

/** What the node's own algorithms say of the rows that a part rests on, in fewer words. */
async function withKnownRows(value: unknown, known: readonly string[]): Promise<unknown> {
  const { selections } = (value ?? {}) as { selections?: SelectedRows[] };
  if (!Array.isArray(selections) || known.length === 0) return value;
  return { ...value as object, selections: await nameKnownRows(selections, known) };
}

async function run(
  { algorithm, call: given, databases, access, place, allow_where, max_calls, known_rows = [] }:
    StartMessage,
) {
  maxCalls = max_calls;
  const failed = (error: unknown) => failWith(error, algorithm);
  addEventListener("unhandledrejection", (event) => failed(event.reason));
  addEventListener("error", (event) => failed(event.error));

  let module: Record<string, unknown>;
  try {
    module = await import(algorithm);
  } catch (error) {
    const text = describe(error, algorithm);
    const imports = /specifier|Requires read access|Module not found/.test(text);
    const rule = "In the sandbox an algorithm is one file, which imports nothing but types.";
    fail("load", imports ? `${text}\n${rule}` : text);
  }
  let value: unknown;
  if (given === null) value = selfOf(module);
  else {
    const asked = asCall(typeof given === "string" ? readCall(given) : given);
    const call = findMethod(module, asked.method);
    const args = argumentsOf(module, asked, allow_where);
    try {
      value = await call(createContext({ databases, access, place }), ...args);
      value = await withKnownRows(value, known_rows);
    } catch (error) {
      failed(error);
    }
  }
  let result: string;
  try {
    result = toJson(value);
  } catch (error) {
    fail("result", error instanceof Error ? error.message : String(error));
  }
  sendResult(result);
  Deno.exit(0);
}

sendFrame({ is: "ready" });
let started = false;
for await (const message of readLines()) {
  if (started) takeAnswer(message as Answer);
  else run(message as StartMessage);
  started = true;
}
// The agent is gone, and nobody will ever read a result.
Deno.exit(1);
