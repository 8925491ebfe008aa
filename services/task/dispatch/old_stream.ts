/**
 * Deleting the stream in which hubs of the version before kept work for nodes. What was in it is in
 * the table, too, and is handed out when the nodes ask.
 * @module
 */
import type { BrokerConnection } from "../../../shared/broker/connection.ts";
import { isMissing } from "../../../shared/broker/errors.ts";
import { OLD_DISPATCH_STREAM } from "../../../shared/broker/subjects.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";

/** Deletes it, if it is there. Never throws: it takes room, and does no other harm. */
export async function deleteOldStream(nc: BrokerConnection, log: Logger): Promise<void> {
  try {
    const manager = await nc.jetstreamManager();
    await manager.streams.delete(OLD_DISPATCH_STREAM);
    log.info("Deleted the stream of dispatches that the version before needed");
  } catch (error) {
    if (isMissing(error)) return;
    log.warn("Cannot delete the stream of dispatches that the version before needed", {
      stream: OLD_DISPATCH_STREAM,
      reason: messageOf(error),
    });
  }
}
