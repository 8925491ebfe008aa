import { useEffect, useState } from "preact/hooks";
import { hubNow } from "../live/clock.ts";

const STEP_MS = 500;

/** The hub's time; it goes on while something moves. */
export function useHubNow(isMoving: boolean): number {
  const [now, setNow] = useState(hubNow);
  useEffect(() => {
    setNow(hubNow());
    if (!isMoving) return;
    const timer = setInterval(() => setNow(hubNow()), STEP_MS);
    return () => clearInterval(timer);
  }, [isMoving]);
  return now;
}
