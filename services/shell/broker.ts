/**
 * The shell's connection to the broker: so that running services hear of a change at once.
 * @module
 */
import { createAsk } from "../../shared/messages/ask.ts";
import type { Db } from "../../shared/storage/db.ts";
import type { Logger } from "../../shared/service/log.ts";
import { publishRows } from "../../shared/storage/outbox.ts";
import type { OutboxRow } from "../../shared/storage/outbox_order.ts";
import type { Ask } from "../../shared/messages/questions.ts";
import type { BrokerConnection } from "../../shared/broker/connection.ts";
import { connectService } from "../../shared/broker/service_connection.ts";
import type { HubService } from "../../shared/broker/subjects.ts";
import { messageOf } from "../../shared/service/errors.ts";

export interface BrokerLink {
  url: string;
  nc: BrokerConnection;
  ask: Ask;
  /** Publishes the events among these rows of a service's outbox, and takes them out of it. */
  publish(service: HubService, db: Db, rows: OutboxRow[]): Promise<void>;
  /** Has identity close the nodes' connections and refuse their tokens. */
  shutOut(nodeIds: number[]): Promise<void>;
  close(): Promise<void>;
}

export interface ConnectBrokerOptions {
  url: string;
  enrolmentFile: string;
  log: Logger;
  /** How long to wait for the broker and for identity, which gives the credential. */
  timeoutMs?: number;
  say: (line: string) => void;
}

const PUBLISH_TIMEOUT_MS = 1500;

/** Connects, or says why not and returns `undefined`: the shell is of use without a broker too. */
export async function connectBroker(
  { url, enrolmentFile, log, timeoutMs = 3000, say }: ConnectBrokerOptions,
): Promise<BrokerLink | undefined> {
  const connecting = connectService({ service: "shell", url, enrolmentFile, log });
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error("the broker, or identity, does not answer")),
    timeoutMs,
  );
  try {
    const connection = await Promise.race([connecting, late]);
    return link(url, connection.nc, connection.close, say);
  } catch (error) {
    say(
      `No connection to the broker at ${url}: ${(error as Error).message}. ` +
        `Running services hear of changes within 3 s; db.watch() is not to be had.`,
    );
    connecting.then((connection) => connection.close(), () => {});
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function link(
  url: string,
  nc: BrokerConnection,
  close: () => Promise<void>,
  say: (line: string) => void,
): BrokerLink {
  const jetstream = nc.jetstream({ timeout: PUBLISH_TIMEOUT_MS });
  const ask = createAsk(nc);
  return {
    url,
    nc,
    ask,
    close,
    async publish(service, db, rows) {
      try {
        // Dispatches are signed by the task service, which alone has the key: its sweep sends them.
        const events = rows.filter((one) => one.subject.startsWith("event."));
        await publishRows({ db, jetstream, service }, events);
      } catch {
        say("The broker did not take the event; the service itself will publish it within 3 s.");
      }
    },
    async shutOut(nodeIds) {
      if (nodeIds.length === 0) return;
      const node_ids = [...new Set(nodeIds)];
      try {
        await ask("identity", "revoke_nodes", { node_ids });
      } catch (error) {
        say(
          `Node ${node_ids.join(", ")} is not cut off yet (${
            messageOf(error)
          }); identity does it ` +
            "when it hears of the change.",
        );
      }
    },
  };
}
