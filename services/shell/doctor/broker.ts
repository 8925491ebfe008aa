import { STREAMS } from "../../../shared/broker/subjects.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Finding } from "./finding.ts";
import type { Shell } from "../shell.ts";
import { grouped, waiting } from "../show/words.ts";

/** Messages a consumer may be behind before it is worth a word. */
const MANY = 1000;

/** The streams and who reads them. */
export async function checkBroker({ broker, databases }: Shell): Promise<Finding[]> {
  if (!broker) {
    return [{
      check: "broker",
      state: "wrong",
      finding: "no connection",
      advice: "See whether nats-server runs; name it in SEXTANT_NATS_URL, with SEXTANT_ENROLMENT.",
    }];
  }
  const manager = await broker.nc.jetstreamManager();
  const findings: Finding[] = [];
  const consumers = new Set<string>();
  for (const stream of Object.values(STREAMS)) {
    try {
      const { state } = await manager.streams.info(stream);
      findings.push({
        check: `stream ${stream}`,
        state: "ok",
        finding: `${grouped(state.messages)} messages, ${grouped(state.bytes)} bytes`,
      });
      for await (const { name, num_pending, num_ack_pending } of manager.consumers.list(stream)) {
        if (stream === STREAMS.dispatch) consumers.add(name);
        if (num_pending + num_ack_pending < MANY) continue;
        findings.push({
          check: `consumer ${name} of ${stream}`,
          state: "note",
          finding: `${waiting("messages", num_pending + num_ack_pending)} for it`,
          advice: stream === STREAMS.dispatch
            ? `Node ${name} is offline, or too slow for its work.`
            : `${name} is behind; see its log, or start another replica.`,
        });
      }
    } catch (error) {
      findings.push({
        check: `stream ${stream}`,
        state: "wrong",
        finding: messageOf(error),
        advice: "The services make their streams when they start: start identity and task again.",
      });
    }
  }
  const nodes = await databases.collaboration<{ id: number }[]>`select id from node`;
  const without = nodes.filter(({ id }) => !consumers.has(String(id)));
  if (without.length > 0) {
    findings.push({
      check: "consumers of nodes",
      state: "note",
      finding: `${without.length} of ${nodes.length} nodes have none yet`,
      advice: "task makes one when it hears of the node, and at the latest with its first work.",
    });
  }
  return findings;
}
