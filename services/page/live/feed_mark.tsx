import { texts } from "../texts.ts";
import { feedState } from "./feed.ts";

/** Whether what is seen is what is: in the bar of every screen. */
export function FeedMark() {
  const state = feedState.value;
  return (
    <span class={`feed ${state}`} role="status">
      {state === "live" && texts.frame.live}
      {state === "cut" && texts.frame.cut}
      {state === "forbidden" && texts.frame.notLive}
    </span>
  );
}
