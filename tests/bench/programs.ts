/**
 * Processes beside the benchmark: the other end of what is measured must not share its event loop.
 * Both sides speak in lines of JSON; a program ends when its standard input does, so that none
 * outlives the benchmark.
 * @module
 */
import { fileURLToPath } from "node:url";

export interface Program {
  readonly pid: number;
  tell(message: unknown): Promise<void>;
  /** The next message; rejects when the program ends instead. */
  // deno-lint-ignore no-explicit-any -- what the program of this folder says, each caller knows
  hear(): Promise<any>;
  /** The time in the next message that has it under this name; others are passed over. */
  hearTimeOf(name: string): Promise<number>;
  /** Asks the program to end and waits until it has. */
  stop(): Promise<void>;
}

/**
 * Starts a program of this folder and tells it how to be set up; resolves when it says that it is
 * ready.
 */
export async function startProgram(file: string, settings: unknown): Promise<Program> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", fileURLToPath(new URL(file, import.meta.url))],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  const output = jsonLines(child.stdout);
  const program: Program = {
    pid: child.pid,
    tell: (message) => input.write(new TextEncoder().encode(JSON.stringify(message) + "\n")),
    async hear() {
      const { done, value } = await output.next();
      if (done) throw new Error(`${file} ended too soon`);
      return value;
    },
    async hearTimeOf(name) {
      for (;;) {
        const said = await program.hear();
        if (typeof said?.[name] === "number") return said[name];
      }
    },
    async stop() {
      await input.close().catch(() => {});
      await child.status;
      await output.return(undefined);
    },
  };
  await program.tell(settings);
  const first = await program.hear();
  if (first !== "ready") throw new Error(`${file} says ${JSON.stringify(first)}`);
  return program;
}

/** In a program: what it is told, the settings first. */
export function told(): AsyncGenerator {
  return jsonLines(Deno.stdin.readable);
}

/** In a program: says something to the benchmark. */
export function say(message: unknown): void {
  console.log(JSON.stringify(message));
}

async function* jsonLines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (text + part).split("\n");
    text = lines.pop()!;
    for (const line of lines) yield JSON.parse(line);
  }
}

/** The time of day with fractions of a millisecond, comparable between processes of one machine. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}
