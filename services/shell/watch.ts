/**
 * `db.watch()`: what happens on the hub, as it happens.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { parseEvent } from "../../shared/messages/events.ts";
import { HUB_SERVICES, type HubService, subjects } from "../../shared/broker/subjects.ts";
import type { BrokerLink } from "./broker.ts";
import { ShellError } from "./errors.ts";
import { harmless } from "./errors.ts";
import { dateShown } from "../../shared/command_line/time.ts";
import type { Shell } from "./shell.ts";

/** How often services are asked whether they are there. */
const LOOK_EVERY_MS = 2000;

/**
 * Prints one line for each event until the operator interrupts; returns how many there were, in
 * words.
 */
export async function watchEvents(shell: Shell): Promise<string> {
  if (!shell.broker) {
    throw new ShellError(
      "There is no broker to listen to; set SEXTANT_NATS_URL and SEXTANT_ENROLMENT, or start deno task up",
    );
  }
  const interrupted = shell.interrupt();
  const subscription = shell.broker.nc.subscribe(subjects.allEvents());
  interrupted.addEventListener("abort", () => subscription.unsubscribe(), { once: true });
  shell.say("Watching; Ctrl-C ends it.");
  tellOfBroker(shell.broker, interrupted);
  tellOfServices(shell.broker, interrupted);
  let seen = 0;
  for await (const message of subscription) {
    const event = parseEvent(message.subject, message.data);
    if (!event) continue;
    seen++;
    const data = Object.entries(event.data).map(([name, value]) => `${name}=${value}`).join(" ");
    tell(new Date(event.at), event.name, data);
  }
  return `${seen} ${seen === 1 ? "event" : "events"} seen.`;
}

function tell(at: Date, what: string, data: string): void {
  console.log(harmless(`${dateShown(at)}  ${what}  ${data}`, " "));
}

/** Says when the broker goes, and when it is back: what happened in between is not shown. */
function tellOfBroker({ nc }: BrokerLink, signal: AbortSignal): void {
  const stop = nc.watch((connected) => {
    if (connected) tell(new Date(), "broker back", "events in between are not shown");
    else tell(new Date(), "broker gone", "what happens now is not shown");
  });
  signal.addEventListener("abort", stop, { once: true });
}

/** Says when a service of the hub no longer answers, and when it does again. */
async function tellOfServices({ nc, ask }: BrokerLink, signal: AbortSignal): Promise<void> {
  const gone = new Set<HubService>();
  while (!signal.aborted) {
    await Promise.all(HUB_SERVICES.map(async (service) => {
      const answers = await ask(service, "health", {}).then(() => true, () => false);
      if (signal.aborted || !nc.connected || answers !== gone.has(service)) return;
      if (answers) gone.delete(service);
      else gone.add(service);
      tell(new Date(), `${service} ${answers ? "back" : "gone"}`, answers ? "" : "does not answer");
    }));
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}
