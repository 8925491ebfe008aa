/**
 * What was typed, kept between sessions in a file that only its owner reads. A statement that holds
 * a secret is not kept.
 * @module
 */
import { dirname } from "node:path";

const KEPT = 1000;
/** Near these words a statement may hold a password or a key in clear. */
const SECRET = /passw|secret|api_?key|token|otp|\bseed\b/i;

export interface History {
  /** The lines of earlier sessions, the newest first. */
  lines: string[];
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
    lines: kept.toReversed(),
    add(statement) {
      if (SECRET.test(statement)) return;
      const lines = statement.split("\n").filter((line) => line.trim() !== "");
      if (lines.length === 0) return;
      kept = [...kept, ...lines].slice(-KEPT);
      try {
        const options = { mode: 0o600 };
        Deno.mkdirSync(dirname(path), { recursive: true });
        // Written anew when it has grown to twice its length, so that it does not grow for ever.
        Deno.writeTextFileSync(path, lines.join("\n") + "\n", { ...options, append: true });
        if (Deno.statSync(path).size > 200 * KEPT) {
          Deno.writeTextFileSync(path, kept.join("\n") + "\n", options);
        }
      } catch {
        // the session goes on without
      }
    },
  };
}
