/**
 * The text of server-sent events (WHATWG HTML §9.2.6), which `EventSource` reads too, but without a
 * header to authorize it.
 * @module
 */

export interface ServerSentEvent {
  /** Its name; `undefined` where the block has none. */
  event: string | undefined;
  /** Only where the block has one. */
  id: string | undefined;
  data: string;
}

/** A block that is larger is not one of ours. */
const LONGEST = 8 * 2 ** 20;

/** The blocks of a stream, as they come. `heard` is told of whatever comes. */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  heard: () => void = () => {},
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = "";
  heard();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      text += decoder.decode(value, { stream: true });
      if (text.length > LONGEST) throw new Error("an event of the feed is too large");
      const blocks = text.split(/\r\n\r\n|\n\n|\r\r/);
      text = blocks.pop()!;
      for (const block of blocks) {
        const event = readBlock(block);
        if (event) yield event;
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** `undefined` for a comment, which only says that the hub is there. */
function readBlock(block: string): ServerSentEvent | undefined {
  const fields: Record<string, string[]> = {};
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, name, value] = /^([^:]+)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name !== undefined) (fields[name] ??= []).push(value ?? "");
  }
  const { event, id, data } = fields;
  if (!event && !id && !data) return undefined;
  return { event: event?.at(-1), id: id?.at(-1), data: data?.join("\n") ?? "" };
}
