/**
 * The prompt: lines with editing, history and completion; one statement evaluated after the other.
 *
 * `node:repl` of Deno evaluates lines side by side when they are typed faster than they finish, and
 * cannot keep a line out of its history; so this is on `node:readline`, with V8's own console
 * evaluation behind it.
 * @module
 */
import process from "node:process";
import { complete } from "./complete.ts";
import type { Evaluator, Outcome } from "./evaluate.ts";
import { ShellError } from "../errors.ts";
import { isQuery } from "../records/query.ts";
import { explain } from "../show/explain.ts";
import { afterFailure, beforeEvaluation } from "./habits.ts";
import type { History } from "./history.ts";
import { CANCELLED, openLines } from "./lines.ts";
import { render } from "../show/render.ts";
import { terminalWidth } from "../show/table.ts";

const PROMPT = "sextant> ";
const CONTINUED = "     ... ";
/** Statements of which nobody expects a value. */
const NO_VALUE =
  /^\s*(const|let|var|function|async function|class|for|while|if|switch|try|throw)\b/;

/** What people type at any prompt, alone on a line. */
const LEAVE = ["exit", "quit", "exit()", "quit()"];
const HELP = ["help", "?", "help()"];

export interface PromptOptions {
  evaluator: Evaluator;
  history: History;
  /** Names that are always in scope. */
  globals: string[];
  /** Ends what was started and can be ended; returns whether there was such a thing. */
  interrupt(): boolean;
}

/** Reads and evaluates until Ctrl-D or `exit`. */
export async function runPrompt(
  { evaluator, history, globals, interrupt }: PromptOptions,
): Promise<void> {
  const lines = openLines({
    history: history.lines,
    complete: (line) => complete(line, evaluator, globals),
  });
  let statement = "";
  let abandon: (() => void) | undefined;
  // While a statement runs, the terminal makes a signal of Ctrl-C, and shows it.
  const onSignal = () => {
    if (!interrupt()) abandon?.();
  };
  process.on("SIGINT", onSignal);

  while (true) {
    const line = await lines.next(statement === "" ? PROMPT : CONTINUED);
    if (line === undefined) {
      process.stdout.write("\n");
      break;
    }
    if (line === CANCELLED) {
      statement = "";
      continue;
    }
    const word = statement === "" ? line.trim() : "";
    if (LEAVE.includes(word)) break;
    statement += statement === "" ? line : `\n${line}`;
    if (HELP.includes(word)) statement = "db.help()";
    if (statement.trim() === "") {
      statement = "";
      continue;
    }
    const given = statement;
    const { promise: abandoned, resolve } = Promise.withResolvers<"abandoned">();
    abandon = () => resolve("abandoned");
    const outcome = await Promise.race([evaluateShown(evaluator, given), abandoned]);
    abandon = undefined;
    if (outcome === "abandoned") {
      process.stdout.write(" (no longer waited for)\n");
    } else if (outcome.kind === "incomplete") {
      // An empty line ends a statement that may never have become one.
      if (!outcome.unless || line.trim() !== "") continue;
      printError(outcome.unless);
    }
    statement = "";
    history.add(given);
  }
  process.off("SIGINT", onSignal);
  lines.close();
}

/** Evaluates and shows; a promise at the end is waited for. */
async function evaluateShown(evaluator: Evaluator, statement: string): Promise<Outcome> {
  const habit = beforeEvaluation(statement);
  if (habit) return failed(new ShellError(habit));
  try {
    const outcome = await evaluator.evaluate(statement);
    if (outcome.kind === "error") return failed(outcome.error);
    if (outcome.kind === "value") {
      const value = await outcome.value;
      if (value !== undefined || !NO_VALUE.test(statement)) {
        process.stdout.write(render(value, terminalWidth()) + "\n");
      }
      // What is printed is what is held, also when nobody typed `await`.
      await evaluator.settle(statement, isQuery);
    }
    return outcome;
  } catch (error) {
    return failed(error);
  }

  function failed(error: unknown): Outcome {
    const habit = afterFailure(statement, error);
    printError(habit ? new ShellError(habit) : error);
    return { kind: "error", error };
  }
}

function printError(error: unknown): void {
  process.stdout.write(`Error: ${explain(error)}\n`);
}
