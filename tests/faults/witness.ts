/**
 * What was seen from outside while faults happened, independent of what the hub's tables say in the end.
 * @module
 */
import type { ApiClient } from "../support/api.ts";
import { isOpen } from "../../shared/node_protocol/status.ts";

export interface Witness {
  /** Ends of each result, as the live feed told them. */
  ends: Map<number, string[]>;
  /** Whether the feed had to say that events are gone. */
  gaps: number;
  stop(): Promise<void>;
}

/** Watches the live feed, and comes back with the last id whenever it breaks off. */
export function watchFeed(api: ApiClient): Witness {
  const stopping = new AbortController();
  const witness: Witness = { ends: new Map(), gaps: 0, stop: async () => {} };
  let lastId = "";

  function take(block: string) {
    const fields = new Map(
      block.split("\n").map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
      }),
    );
    lastId = fields.get("id") ?? lastId;
    if (fields.get("event") === "gap") witness.gaps++;
    if (fields.get("event") !== "result.status") return;
    const { result_id, status } = JSON.parse(fields.get("data")!);
    if (isOpen(status)) return;
    witness.ends.set(result_id, [...witness.ends.get(result_id) ?? [], status]);
  }

  async function watch(): Promise<void> {
    const answer = await api.request(
      "GET",
      `/events${lastId ? `?last_event_id=${lastId}` : ""}`,
    );
    if (!answer.ok || !answer.body) {
      await answer.body?.cancel();
      throw new Error(`the feed answered ${answer.status}`);
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    const cancel = () => void reader.cancel().catch(() => {});
    stopping.signal.addEventListener("abort", cancel, { once: true });
    // A gateway that was paused leaves the line open and silent; the feed shows life every 15 s.
    let alive = setTimeout(cancel, 20_000);
    try {
      for (let text = "";;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(alive);
        alive = setTimeout(cancel, 20_000);
        text += value;
        for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
          take(text.slice(0, end));
        }
      }
    } finally {
      clearTimeout(alive);
      stopping.signal.removeEventListener("abort", cancel);
    }
  }

  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await watch().catch(() => {});
      if (!stopping.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  witness.stop = async () => {
    stopping.abort();
    await watching;
  };
  return witness;
}
