import { useEffect, useRef } from "preact/hooks";
import { client, isSessionEnd } from "../session/session.ts";

/** Tells of nodes that come and go, by id; and when something may have been missed. */
export function usePresence(hear: (status: Map<number, string>) => void, again: () => void): void {
  const latest = useRef({ hear, again });
  latest.current = { hear, again };
  useEffect(() => {
    const leaving = new AbortController();
    async function follow(): Promise<void> {
      for await (const event of client.events({ signal: leaving.signal })) {
        if (event.name === "feed.gap") latest.current.again();
        if (event.name !== "node.presence") continue;
        latest.current.hear(new Map([[event.data.node_id, event.data.status]]));
      }
    }
    // Who may not watch the feed sees what the list told them.
    follow().catch((error) => void isSessionEnd(error));
    return () => leaving.abort();
  }, []);
}
