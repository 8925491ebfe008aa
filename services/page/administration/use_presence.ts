import { useEffect, useRef } from "preact/hooks";
import { onNews } from "../live/feed.ts";

/** Tells of nodes that come and go, by id; and when something may have been missed. */
export function usePresence(hear: (status: Map<number, string>) => void, again: () => void): void {
  const latest = useRef({ hear, again });
  latest.current = { hear, again };
  useEffect(() => {
    const unheard = onNews(({ events, afresh }) => {
      if (afresh) return latest.current.again();
      const status = new Map<number, string>();
      for (const event of events) {
        if (event.name === "node.presence") status.set(event.data.node_id, event.data.status);
      }
      if (status.size > 0) latest.current.hear(status);
    });
    return () => unheard();
  }, []);
}
