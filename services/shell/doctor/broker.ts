import { STREAMS } from "../../../shared/broker/subjects.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Shell } from "../shell.ts";
import { grouped, waiting } from "../show/words.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

/** Messages a consumer may be behind before it is worth a word. */
const MANY = 1000;

/** The stream of events and who reads it. */
export async function checkBroker({ broker }: Shell): Promise<Finding[]> {
  if (!broker) {
    const advice =
      "See whether nats-server runs; name it in SEXTANT_NATS_URL, with SEXTANT_ENROLMENT.";
    return [wrong("broker", "no connection", advice)];
  }
  const check = `stream ${STREAMS.events}`;
  try {
    const manager = await broker.nc.jetstreamManager();
    const { state: { messages, bytes } } = await manager.streams.info(STREAMS.events);
    const findings = [ok(check, `${grouped(messages)} messages, ${grouped(bytes)} bytes`)];
    for await (
      const { name, num_pending, num_ack_pending } of manager.consumers.list(STREAMS.events)
    ) {
      if (num_pending + num_ack_pending < MANY) continue;
      findings.push(note(
        `consumer ${name} of ${STREAMS.events}`,
        `${waiting("messages", num_pending + num_ack_pending)} for it`,
        `${name} is behind; see its log, or start another replica.`,
      ));
    }
    return findings;
  } catch (error) {
    const advice =
      "See whether nats-server has JetStream and room for it; the services make the stream when " +
      "they start.";
    return [wrong(check, messageOf(error), advice)];
  }
}
