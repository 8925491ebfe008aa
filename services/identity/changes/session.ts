/**
 * The end of one log-in, and what is told of it. What ends all of a user's stands with the user.
 * @module
 */
import { recordDone } from "../../../shared/storage/audit.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import { type Client, deleteSession } from "../store/session.ts";

/** Ends a session, for all its tokens. It may have ended before. */
export async function endSession(
  { tx, emit }: Pick<Change, "tx" | "emit">,
  { type, id }: Client,
  sessionId: string,
): Promise<void> {
  await deleteSession(tx, sessionId);
  await recordDone(tx, `${type}.logout`, { noun: type, id });
  emit("session.ended", { session_id: sessionId, client_type: type, client_id: id });
}
