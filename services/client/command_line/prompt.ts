/**
 * Questions to whoever sits at the terminal.
 * @module
 */
import { UsageError } from "../../../shared/command_line/read_args.ts";
import { Stopped } from "./exit_codes.ts";

/** An answer. Throws a UsageError where nobody can be asked; `instead` says what to do there. */
export function ask(question: string, { instead }: { instead: string }): Promise<string> {
  return line(question, { shown: true, instead });
}

/** An answer that is not shown as it is typed. */
export function askSecret(question: string, { instead }: { instead: string }): Promise<string> {
  return line(question, { shown: false, instead });
}

const ENTER = new Set(["\r", "\n"]);
const END = "\x04";
const STOP = "\x03";
const BACK = new Set(["\x7f", "\b"]);

async function line(
  question: string,
  { shown, instead }: { shown: boolean; instead: string },
): Promise<string> {
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) {
    throw new UsageError(`There is no terminal to ask at: ${instead}`);
  }
  const encoder = new TextEncoder();
  const write = (text: string) => Deno.stderr.writeSync(encoder.encode(text));
  write(question);
  Deno.stdin.setRaw(true);
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(256);
  let answer = "";
  try {
    for (;;) {
      const count = await Deno.stdin.read(bytes);
      const typed = count === null
        ? END
        : decoder.decode(bytes.subarray(0, count), { stream: true });
      for (const one of typed) {
        if (ENTER.has(one)) return answer;
        if (one === STOP || one === END) throw new Stopped("Stopped; nothing was done.");
        if (BACK.has(one)) {
          if (answer && shown) write("\b \b");
          answer = [...answer].slice(0, -1).join("");
        } else if (one >= " ") {
          answer += one;
          if (shown) write(one);
        }
      }
    }
  } finally {
    Deno.stdin.setRaw(false);
    write("\n");
  }
}

/** The lines that come through standard input, where that is no terminal. */
export async function linesOfStdin(): Promise<string[]> {
  const text = await new Response(Deno.stdin.readable).text();
  return text.split(/\r?\n/);
}
