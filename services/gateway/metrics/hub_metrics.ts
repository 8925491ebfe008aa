/**
 * What the services and the broker tell of themselves, asked when Prometheus asks.
 * @module
 */
import { HUB_SERVICES } from "../../../shared/broker/subjects.ts";
import { eventStreamState } from "../../../shared/broker/event_stream.ts";
import type { BrokerConnection } from "../../../shared/broker/connection.ts";
import { gauge, gaugeBy, type Metric } from "../../../shared/messages/metric.ts";
import type { Ask } from "../../../shared/messages/questions.ts";
import type { Logger } from "../../../shared/service/log.ts";

export interface HubMetricsOptions {
  ask: Ask;
  nc: Pick<BrokerConnection, "jetstreamManager">;
  log: Logger;
}

/** Of a part that does not answer there are no figures but that it is down. */
export async function hubMetrics({ ask, nc, log }: HubMetricsOptions): Promise<Metric[]> {
  const [services, events] = await Promise.all([
    Promise.all(HUB_SERVICES.map(async (service) => ({
      service,
      told: await orNothing(service, () => ask(service, "metrics", {})),
    }))),
    orNothing("jetstream", async () => await eventStreamState(nc)),
  ]);
  const isUp = [...services, { service: "jetstream", told: events }].map(({ service, told }) => ({
    service,
    value: told ? 1 : 0,
  }));
  return [
    gaugeBy("service", {
      name: "sextant_up",
      help: "Whether a part of the hub answers, and its database.",
      rows: isUp,
    }),
    ...services.flatMap(({ told }) => told ?? []),
    ...events
      ? [
        gauge("sextant_events_messages", "Events in the stream.", events.messages),
        gauge("sextant_events_bytes", "What they take.", events.bytes),
        gauge("sextant_events_max_bytes", "What they may take.", events.maxBytes),
      ]
      : [],
  ];

  async function orNothing<T>(part: string, told: () => Promise<T>): Promise<T | undefined> {
    try {
      return await told();
    } catch (error) {
      log.warn("A part of the hub tells no figures", { part, error });
      return undefined;
    }
  }
}
