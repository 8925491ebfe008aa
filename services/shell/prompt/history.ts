/**
 * What was typed, kept between sessions in a file that only its owner reads. A statement that holds
 * a secret is not kept.
 * @module
 */
import { dirname } from "node:path";

const KEPT = 1000;
/** Near these words a statement may hold a password or a key in clear. */
const SECRET = /passw|secret|api_?key|token|otp|\bseed\b/i;
/** Stands for a new line within a statement, of which each is a line of the file. */
const NEW_LINE = "\u2028";

export interface History {
  /** The statements of earlier sessions, the newest first. */
  statements: string[];
  add(statement: string): void;
}

/** Without a place to write, the history lasts as long as the session. */
export function openHistory(path: string): History {
  let kept: string[] = [];
  try {
    kept = Deno.readTextFileSync(path).split("\n").filter((line) => line !== "").slice(-KEPT);
  } catch {
    // none yet, or none to be had
  }
  return {
    statements: kept.map((line) => line.replaceAll(NEW_LINE, "\n")).toReversed(),
    add(statement) {
      if (SECRET.test(statement)) return;
      const line = statement.replaceAll("\n", NEW_LINE);
      kept = [...kept, line].slice(-KEPT);
      try {
        const options = { mode: 0o600 };
        Deno.mkdirSync(dirname(path), { recursive: true });
        // Written anew when it has grown to twice its length, so that it does not grow for ever.
        Deno.writeTextFileSync(path, line + "\n", { ...options, append: true });
        if (Deno.statSync(path).size > 200 * KEPT) {
          Deno.writeTextFileSync(path, kept.join("\n") + "\n", options);
        }
      } catch {
        // the session goes on without
      }
    },
  };
}
