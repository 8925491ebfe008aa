import { STREAMS } from "../../../shared/broker/subjects.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Shell } from "../shell.ts";
import { grouped, waiting } from "../show/words.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

/** Messages a consumer may be behind before it is worth a word. */
const MANY = 1000;

/** The streams and who reads them. */
export async function checkBroker({ broker, databases }: Shell): Promise<Finding[]> {
  if (!broker) {
    const advice =
      "See whether nats-server runs; name it in SEXTANT_NATS_URL, with SEXTANT_ENROLMENT.";
    return [wrong("broker", "no connection", advice)];
  }
  const manager = await broker.nc.jetstreamManager();
  const findings: Finding[] = [];
  const consumers = new Set<string>();
  for (const stream of Object.values(STREAMS)) {
    try {
      const { state: { messages, bytes } } = await manager.streams.info(stream);
      findings.push(
        ok(`stream ${stream}`, `${grouped(messages)} messages, ${grouped(bytes)} bytes`),
      );
      for await (const { name, num_pending, num_ack_pending } of manager.consumers.list(stream)) {
        if (stream === STREAMS.dispatch) consumers.add(name);
        if (num_pending + num_ack_pending < MANY) continue;
        findings.push(note(
          `consumer ${name} of ${stream}`,
          `${waiting("messages", num_pending + num_ack_pending)} for it`,
          stream === STREAMS.dispatch
            ? `Node ${name} is offline, or too slow for its work.`
            : `${name} is behind; see its log, or start another replica.`,
        ));
      }
    } catch (error) {
      const advice =
        "The services make their streams when they start: start identity and task again.";
      findings.push(wrong(`stream ${stream}`, messageOf(error), advice));
    }
  }
  const nodes = await databases.collaboration<{ id: number }[]>`select id from node`;
  const without = nodes.filter(({ id }) => !consumers.has(String(id)));
  if (without.length > 0) {
    findings.push(note(
      "consumers of nodes",
      `${without.length} of ${nodes.length} nodes have none yet`,
      "task makes one when it hears of the node, and at the latest with its first work.",
    ));
  }
  return findings;
}
