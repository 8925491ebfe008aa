/**
 * Evaluates what is typed, as V8's own consoles do: declarations last from line to line and can be
 * made again, and `await` works at the top level. Types are stripped.
 * @module
 */
import { Session } from "node:inspector";
import { stripTypeScriptTypes } from "node:module";
import { isOpen } from "./brackets.ts";
import { ShellError } from "../errors.ts";

export type Outcome =
  | { kind: "value"; value: unknown }
  /** What was thrown. */
  | { kind: "error"; error: unknown }
  /** The text ends in the middle of something; or, with `unless`, it may: a bracket is open. */
  | { kind: "incomplete"; unless?: ShellError };

export interface Evaluator {
  evaluate(code: string): Promise<Outcome>;
  /** Names declared at the prompt. */
  declared(): Promise<string[]>;
  /**
   * The value of an expression if it can be had without running anything; `undefined` otherwise.
   */
  peek(expression: string): Promise<unknown>;
  /**
   * Waits for what names in `code` hold and `isPending` says is only on its way, and puts the
   * answers in their place.
   */
  settle(code: string, isPending: (value: unknown) => boolean): Promise<void>;
  close(): void;
}

/** A value as the inspector describes it. */
interface Described {
  type: string;
  objectId?: string;
  value?: unknown;
  unserializableValue?: string;
  description?: string;
}

interface Evaluated {
  result: Described;
  exceptionDetails?: { exception?: Described; text: string };
}

const HAND_OVER = Symbol.for("sextant.shell.value");
const SETTLED = Symbol.for("sextant.shell.settled");

export async function createEvaluator(): Promise<Evaluator> {
  const session = new Session();
  session.connect();
  let handed: unknown;
  Object.defineProperty(globalThis, HAND_OVER, {
    configurable: true,
    value: (value: unknown) => handed = value,
  });

  function post<Answer>(method: string, parameters: Record<string, unknown>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      session.post(method, parameters, (error: unknown, answer: unknown) => {
        if (error) reject(error);
        else resolve(answer as Answer);
      });
    });
  }

  const { result: { objectId: globalId } } = await post<Evaluated>("Runtime.evaluate", {
    expression: "globalThis",
  });

  /** The value itself, of which the inspector gives a description. */
  async function valueOf(described: Described): Promise<unknown> {
    const { objectId, value, unserializableValue } = described;
    const argument = objectId
      ? { objectId }
      : unserializableValue
      ? { unserializableValue }
      : { value };
    await post("Runtime.callFunctionOn", {
      functionDeclaration: `function (value) { this[Symbol.for("sextant.shell.value")](value); }`,
      objectId: globalId,
      arguments: [argument],
    });
    const taken = handed;
    handed = undefined;
    if (objectId) await post("Runtime.releaseObject", { objectId });
    return taken;
  }

  async function run(expression: string): Promise<Outcome> {
    const { result, exceptionDetails } = await post<Evaluated>("Runtime.evaluate", {
      expression,
      replMode: true,
      awaitPromise: true,
    });
    if (!exceptionDetails) return { kind: "value", value: await valueOf(result) };
    const { exception, text } = exceptionDetails;
    if (!exception) return { kind: "error", error: new Error(text) };
    const error = await valueOf(exception);
    return isOfTheText(error, exception)
      ? syntaxOutcome(error, expression)
      : { kind: "error", error };
  }

  async function declared(): Promise<string[]> {
    const { names } = await post<{ names: string[] }>("Runtime.globalLexicalScopeNames", {});
    return names;
  }

  /** The value of an expression if it can be had without running anything. */
  async function peek(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await post<Evaluated>("Runtime.evaluate", {
      expression,
      throwOnSideEffect: true,
      silent: true,
    });
    return exceptionDetails ? undefined : await valueOf(result);
  }

  return {
    declared,
    peek,
    async settle(code, isPending) {
      const words = new Set(code.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu));
      const names = [...await declared(), ...Object.keys(globalThis)];
      for (const name of names.filter((one) => words.has(one))) {
        // In an object, since a promise alone would be waited for.
        const holder = await peek(`({held: ${name}})`) as { held: unknown } | undefined;
        if (!isPending(holder?.held)) continue;
        const value = await holder!.held;
        Object.defineProperty(globalThis, SETTLED, { configurable: true, value });
        const assignment = `${name} = globalThis[Symbol.for("sextant.shell.settled")]; undefined`;
        const { kind } = await run(assignment);
        // A constant is declared anew, which is allowed from one statement to the next.
        if (kind === "error") await run(`const ${assignment}`);
      }
    },
    async evaluate(code) {
      // What looks like an object is meant to be one, as in every console.
      if (/^\s*\{[^]*\}\s*$/.test(code)) {
        const outcome = await run(withoutTypes(`(${code}\n)`));
        if (outcome.kind === "value" || !isSyntaxError(outcome)) return outcome;
      }
      return await run(withoutTypes(code));
    },
    close: () => session.disconnect(),
  };
}

/**
 * The code as JavaScript; as it is when the types cannot be found, so that V8 can say what is
 * wrong.
 */
function withoutTypes(code: string): string {
  try {
    return stripTypeScriptTypes(code);
  } catch {
    return code;
  }
}

/** Whether an error is about the text that was typed, not about what it did. */
function isOfTheText(error: unknown, { description }: Described): error is SyntaxError {
  return error instanceof SyntaxError &&
    !/\n {4}at (?!Session\.post)/.test(firstFrames(description));
}

/** The message and the innermost frame. */
function firstFrames(description = ""): string {
  return description.split("\n").slice(0, 2).join("\n");
}

function isSyntaxError(outcome: Outcome): boolean {
  return outcome.kind === "incomplete" ||
    (outcome.kind === "error" && outcome.error instanceof ShellError &&
      outcome.error.cause instanceof SyntaxError);
}

function syntaxOutcome(error: SyntaxError, code: string): Outcome {
  const said = new ShellError(`Syntax error: ${error.message}`, { cause: error });
  if (/^Unexpected end of input/.test(error.message)) return { kind: "incomplete" };
  return isOpen(code) ? { kind: "incomplete", unless: said } : { kind: "error", error: said };
}
