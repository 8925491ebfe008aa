/**
 * Lines from the terminal, with editing, history and completion.
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { type EditedLine, searchHistory } from "./search.ts";

/** What comes in place of a line when Ctrl-C has cleared it, and what went before. */
export const CANCELLED = Symbol("cancelled");

const HISTORY_SIZE = 1000;

export interface Lines {
  /** The next line; `undefined` after Ctrl-D. */
  next(prompt: string): Promise<string | typeof CANCELLED | undefined>;
  /** Puts a statement, however many lines it has, into the history as one. */
  remember(statement: string): void;
  close(): void;
}

export interface LinesOptions {
  /** What was typed earlier, the newest first. */
  history: string[];
  /** The candidates for the end of a line, and the part of it that they would replace. */
  complete(line: string): Promise<[string[], string]>;
}

export function openLines({ history, complete }: LinesOptions): Lines {
  let remembered = history.slice(0, HISTORY_SIZE);
  const waiting: string[] = [];
  let closed = false;
  let wake = (_line?: typeof CANCELLED) => {};

  const reader = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: true,
    historySize: HISTORY_SIZE,
    completer(line: string, give: (error: null, result: [string[], string]) => void) {
      reader.pause();
      complete(line)
        .then((found) => give(null, found), () => give(null, [[], line]))
        .finally(() => reader.resume());
    },
  });
  const edited = reader as unknown as EditedLine;
  searchHistory(edited);
  pause();
  reader.on("line", (line: string) => {
    waiting.push(line);
    pause();
    wake();
  });
  reader.on("close", () => {
    closed = true;
    wake();
  });
  reader.on("SIGINT", () => {
    waiting.length = 0;
    reader.write(null, { ctrl: true, name: "e" });
    reader.write(null, { ctrl: true, name: "u" });
    process.stdout.write("^C\n");
    wake(CANCELLED);
  });

  /**
   * Reads nothing until the next prompt. A read that is under way blocks everything else when the
   * terminal belongs to another account (`su`, `sudo -u`): there Deno reads it synchronously.
   */
  function pause(): void {
    reader.pause();
    process.stdin.setRawMode(false);
  }

  return {
    // deno-lint-ignore require-await -- whoever waits for a line need not know whether it is there
    async next(prompt) {
      if (waiting.length > 0) return waiting.shift();
      if (closed) return undefined;
      // Parts of statements, and answers to questions, are no statements of their own.
      edited.history = [...remembered];
      process.stdin.setRawMode(true);
      reader.setPrompt(prompt);
      reader.prompt();
      return new Promise((resolve) => {
        wake = (line) => {
          wake = () => {};
          resolve(line ?? waiting.shift());
        };
      });
    },
    remember(statement) {
      if (statement === remembered[0]) return;
      remembered = [statement, ...remembered].slice(0, HISTORY_SIZE);
    },
    close: () => reader.close(),
  };
}
