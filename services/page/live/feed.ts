/**
 * The live feed: one follower a tab, while somebody is logged in. What happens is handed on once a
 * frame, however much it is, so that hundreds of events a second cost one drawing each frame.
 * @module
 */
import { signal } from "@preact/signals";
import { ForbiddenError } from "../../client/mod.ts";
import type { WatchedEvent } from "../../../shared/contract/event.ts";
import { tellBack } from "../parts/back.ts";
import { client, isSessionEnd, whileLoggedIn } from "../session/session.ts";
import { heardAt } from "./clock.ts";
import { createFrames } from "./frames.ts";
import type { News } from "./mirror.ts";

/** `forbidden`: one may not watch, so screens are asked for again now and then. */
export type FeedState = "starting" | "live" | "cut" | "forbidden";
export const feedState = signal<FeedState>("starting");

type Listener = (news: News<WatchedEvent>) => void;
const listeners = new Set<Listener>();
const frames = createFrames<WatchedEvent>((news) => {
  for (const listener of listeners) listener(news);
});

/** Tells what happens, at most once a frame, until the function that it returns is called. */
export function onNews(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** How often screens are asked for again where the feed may not be watched. */
const LOOK_MS = 15_000;

async function follow(leaving: AbortSignal): Promise<void> {
  feedState.value = "starting";
  try {
    const events = client.events({ signal: leaving, onCut: () => feedState.value = "cut" });
    for await (const event of events) {
      if (event.name === "feed.begun") {
        feedState.value = "live";
        // Between what a screen was told and the begin of the feed something may have happened.
        if (event.resumed) {
          frames.sayBack();
          tellBack();
        } else frames.lookAfresh();
      } else if (event.name === "feed.gap") frames.lookAfresh();
      else {
        heardAt(event.at);
        frames.add(event);
      }
    }
  } catch (error) {
    if (leaving.aborted || isSessionEnd(error)) return;
    feedState.value = error instanceof ForbiddenError ? "forbidden" : "cut";
    const timer = setInterval(() => frames.lookAfresh(), LOOK_MS);
    leaving.addEventListener("abort", () => clearInterval(timer), { once: true });
  }
}

whileLoggedIn((leaving) => void follow(leaving));
