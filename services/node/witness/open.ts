/**
 * The watch over the hub's audit record, as the agent has it.
 * @module
 */
import type { Status } from "../record/agent_status.ts";
import { type ExchangeOptions, openExchange } from "./exchange.ts";
import { openWitness } from "./witness.ts";

export interface RecordWatch {
  /** Judges checkpoints that came with a message. */
  hear(notes: readonly string[]): void;
  /** Asks the hub for the newest ones, and compares with what others were shown. */
  look(): Promise<void>;
  /** How many alarms there are. */
  alarms(): number;
  /** What `deno task node status` tells of it. */
  status(): NonNullable<Status["record"]>;
}

/** Reads what was seen before. Throws when that is there and cannot be read. */
export async function openRecordWatch(
  options: Omit<ExchangeOptions, "witness">,
): Promise<RecordWatch> {
  const witness = await openWitness(options);
  const exchange = await openExchange({ ...options, witness });
  return {
    hear: (notes) => void witness.hear(notes),
    async look() {
      await witness.look();
      await exchange.compare();
    },
    alarms: () => witness.alarms.length,
    status: () => ({
      services: Object.entries(witness.kept.checkpoints)
        .map(([service, { size, sealed_at }]) => ({ service, size, sealed_at })),
      alarms: witness.alarms.map(({ service, kind, problem }) => ({ service, kind, problem })),
      agreeing: exchange.agreed.size,
      agreed_at: [...exchange.agreed.values()].sort().at(-1) ?? null,
    }),
  };
}
