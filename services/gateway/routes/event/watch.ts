import type { Context, Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { demand, type Principal, widestScope } from "../../../../shared/contract/permissions.ts";
import { declareFacts } from "../../../../shared/contract/route_facts.ts";
import { SextantError } from "../../../../shared/service/errors.ts";
import { eventStream, parsePlace } from "../../live/event_stream.ts";
import type { Feed } from "../../live/feed.ts";
import type { Principals } from "../../principals/principals.ts";

export interface WatchOptions {
  feed: Feed;
  principals: Pick<Principals, "of">;
  /** Milliseconds after which a quiet stream says that it is alive. */
  heartbeatMs?: number;
  /** How often a watcher's rights are looked up, beside when an event says that they changed. */
  refreshMs?: number;
}

const DOES = "What happens, as server-sent events, from now on. Who comes back with " +
  "`Last-Event-ID` (or `?last_event_id=`) gets what was missed; when that is gone, an event " +
  "`gap` says so.";

export function watchEvents(
  app: Hono<AppEnv>,
  { feed, principals, heartbeatMs = 15_000, refreshMs = 5_000 }: WatchOptions,
): void {
  app.get(
    "/api/events",
    answers(undefined, { type: "text/event-stream", does: DOES }),
    declareFacts(watchEvents, { access: { kinds: ["user"], permission: "event:RECEIVE" } }),
  );

  async function watchEvents(c: Context<AppEnv>): Promise<Response> {
    const lookUp = () => requireWatcher(principals, c.req.header("authorization"));
    const principal = await lookUp();
    const since = c.req.header("last-event-id") ?? c.req.query("last_event_id");
    const given = parsePlace(since);
    if (since && !given) {
      throw new SextantError("invalid_request", "Last-Event-ID is not the id of an event.");
    }
    const body = eventStream({
      feed,
      place: given ?? await feed.now(),
      principal,
      lookUp,
      signal: c.req.raw.signal,
      heartbeatMs,
      refreshMs,
    });
    return c.body(body, 200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
  }
}

/** Who calls, if it is a user who may watch. */
async function requireWatcher(
  principals: WatchOptions["principals"],
  authorization: string | undefined,
): Promise<Principal> {
  const principal = await principals.of(authorization);
  if (!principal) {
    throw new SextantError("unauthenticated", "Log in first: this needs an access token.");
  }
  const watches = principal.kind === "user" &&
    widestScope(principal, "event:RECEIVE") !== undefined;
  demand(watches, "receive events");
  return principal;
}
