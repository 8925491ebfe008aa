/**
 * Changes by the operator: in the transaction of the owning service, with the events that tell of
 * them and the audit's records. What follows elsewhere, the other services do when they hear of it.
 * @module
 */
import type { HubService } from "../../shared/broker/subjects.ts";
import { type Operator, recordOperatorChanges } from "../../shared/storage/audit.ts";
import { type Change, type OpenChange, openChange } from "../../shared/storage/outbox.ts";
import type { OutboxRow } from "../../shared/storage/outbox_order.ts";
import type { BrokerLink } from "./broker.ts";
import type { Databases } from "./models/description.ts";

export interface ChangingOptions {
  databases: Databases;
  broker: BrokerLink | undefined;
  operator: Operator;
  now(): Date;
}

/**
 * Runs `work` with a change of each of `services`, in transactions that are committed together, the
 * first one first.
 *
 * All that a database can refuse is refused before the first of them is committed. Only a database
 * that is lost between two of these moments leaves the later services as they were.
 */
export async function changeServices<Result>(
  { databases, broker, operator, now }: ChangingOptions,
  services: HubService[],
  work: (changes: Record<HubService, Change>) => Promise<Result>,
): Promise<Result> {
  const open: Partial<Record<HubService, OpenChange>> = {};
  const told: Partial<Record<HubService, OutboxRow[]>> = {};

  async function workIn(changes: Record<HubService, Change>): Promise<Result> {
    const result = await work(changes);
    for (const service of services) {
      const { change: { tx }, store } = open[service]!;
      told[service] = await store((tx, events) => recordOperatorChanges(tx, operator, events));
      await tx`set constraints all immediate`;
    }
    return result;
  }
  /** The last service's transaction is the outermost: what is innermost is committed first. */
  async function nest(rest: HubService[]): Promise<Result> {
    const service = rest.at(-1);
    if (service === undefined) {
      return await workIn(
        Object.fromEntries(services.map((one) => [one, open[one]!.change])) as Record<
          HubService,
          Change
        >,
      );
    }
    return await databases[service].begin(async (tx) => {
      open[service] = openChange(tx, now);
      return await nest(rest.slice(0, -1));
    }) as Result;
  }
  const result = await nest(services);
  for (const service of services) {
    await broker?.publish(service, databases[service], told[service]!);
  }
  return result;
}
