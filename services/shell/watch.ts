/**
 * `db.watch()`: what happens on the hub, as it happens.
 * @module
 */
import { parseEvent } from "../../shared/messages/events.ts";
import { subjects } from "../../shared/broker/subjects.ts";
import { ShellError } from "./errors.ts";
import { harmless } from "./errors.ts";
import { dateShown } from "./show/time.ts";
import type { Shell } from "./shell.ts";

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
  let seen = 0;
  for await (const message of subscription) {
    const event = parseEvent(message.subject, message.data);
    if (!event) continue;
    seen++;
    const data = Object.entries(event.data).map(([name, value]) => `${name}=${value}`).join(" ");
    console.log(harmless(`${dateShown(new Date(event.at))}  ${event.name}  ${data}`, " "));
  }
  return `${seen} ${seen === 1 ? "event" : "events"} seen.`;
}
