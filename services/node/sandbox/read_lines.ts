/**
 * Lines of JSON on the standard input of a process that an algorithm waits for.
 *
 * Not by `Deno.stdin.readable`: with that Deno loads the web's streams, which takes a process like
 * the runner a third of its start.
 * @module
 */

/** What each line says, until there is no more; a line may be as long as memory allows. */
export async function* readLines(): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(64 * 1024);
  let pieces: string[] = [];
  for (let length; (length = await Deno.stdin.read(buffer)) !== null;) {
    const lines = decoder.decode(buffer.subarray(0, length), { stream: true }).split("\n");
    for (const line of lines.slice(0, -1)) {
      yield JSON.parse(pieces.join("") + line);
      pieces = [];
    }
    pieces.push(lines.at(-1)!);
  }
}
