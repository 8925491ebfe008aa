/**
 * What was seen from outside while faults happened, independent of what the hub's tables say in the
 * end.
 * @module
 */
import {
  readServerSentEvents,
  type ServerSentEvent,
} from "../../services/client/server_sent_events.ts";
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

  function take({ event, id, data }: ServerSentEvent) {
    lastId = id ?? lastId;
    if (event === "gap") witness.gaps++;
    if (event !== "result.status") return;
    const { result_id, status } = JSON.parse(data);
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
    const silent = new AbortController();
    const body = answer.body.pipeThrough(new TransformStream(), {
      signal: AbortSignal.any([stopping.signal, silent.signal]),
    });
    let alive: ReturnType<typeof setTimeout> | undefined;
    // A gateway that was paused leaves the line open and silent; the feed shows life every 15 s.
    function heard() {
      clearTimeout(alive);
      alive = setTimeout(() => silent.abort(), 20_000);
    }
    try {
      for await (const event of readServerSentEvents(body, heard)) take(event);
    } finally {
      clearTimeout(alive);
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
