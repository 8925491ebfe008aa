/**
 * The prompt: lines with editing, history and completion; one statement evaluated after the other.
 *
 * `node:repl` of Deno 2.9 has no `await` at the top level, no search in the history, and evaluates
 * lines side by side when they are typed faster than they finish; so this is on `node:readline`,
 * with V8's own console evaluation behind it.
 * @module
 */
import process from "node:process";
import type { History } from "./history.ts";
import { CANCELLED, openLines } from "./lines.ts";
import { type SessionThread, startSessionThread } from "./session_thread.ts";

const PROMPT = "sextant> ";
const CONTINUED = "     ... ";

/** What people type at any prompt, alone on a line. */
const LEAVE = ["exit", "quit", "exit()", "quit()"];
const HELP = ["help", "?", "help()"];

const STOPPED = " Stopped, by ending the session. A new one begins: what was declared is gone.\n";

export interface PromptOptions {
  /** The data folder. */
  data: string;
  history: History;
  /** Greets, with a line for each connection. */
  greet(connections: string[]): void;
}

/** Reads and evaluates until Ctrl-D or `exit`; returns the exit code. */
export async function runPrompt({ data, history, greet }: PromptOptions): Promise<number> {
  const lines = openLines({
    history: history.statements,
    complete: (line) => thread.complete(line),
  });
  const start = () => startSessionThread({ data, ask });
  async function ask(question: string): Promise<string> {
    const answer = await lines.next(question);
    return typeof answer === "string" ? answer : "";
  }
  let thread: SessionThread;
  try {
    thread = await start();
  } catch (error) {
    lines.close();
    throw error;
  }
  greet(thread.connections);
  // While a statement runs, the terminal makes a signal of Ctrl-C, and shows it.
  const onSignal = async () => {
    if (!await thread.interrupt()) await thread.end();
  };
  process.on("SIGINT", onSignal);
  try {
    return await readAndEvaluate();
  } finally {
    process.off("SIGINT", onSignal);
    lines.close();
    await thread.end();
  }

  async function readAndEvaluate(): Promise<number> {
    let statement = "";
    while (true) {
      const line = await lines.next(statement === "" ? PROMPT : CONTINUED);
      if (line === undefined) {
        process.stdout.write("\n");
        return 0;
      }
      if (line === CANCELLED) {
        statement = "";
        continue;
      }
      const word = statement === "" ? line.trim() : "";
      if (LEAVE.includes(word)) return 0;
      statement += statement === "" ? line : `\n${line}`;
      if (HELP.includes(word)) statement = "db.help()";
      if (statement.trim() === "") {
        statement = "";
        continue;
      }
      const ending = await thread.evaluate(statement);
      if (ending.kind === "incomplete") {
        // An empty line ends a statement that may never have become one.
        if (ending.unless === undefined || line.trim() !== "") continue;
        process.stdout.write(`Error: ${ending.unless}\n`);
      } else if (ending.kind === "abandoned") {
        process.stdout.write(" (no longer waited for)\n");
      } else if (ending.kind === "ended") {
        if (ending.code !== undefined) return ending.code;
        process.stdout.write(STOPPED);
        thread = await start();
      }
      lines.remember(statement);
      history.add(statement);
      statement = "";
    }
  }
}
