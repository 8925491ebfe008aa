import type { Status } from "../record/agent_status.ts";
import type { Exchange } from "./exchange.ts";
import type { HubWitness } from "./witness.ts";

/** What `deno task node status` tells of the hub's audit record. */
export function recordStatus(
  { kept, alarms }: Pick<HubWitness, "kept" | "alarms">,
  { agreed }: Pick<Exchange, "agreed">,
): NonNullable<Status["record"]> {
  return {
    services: Object.entries(kept.checkpoints)
      .map(([service, { size, sealed_at }]) => ({ service, size, sealed_at })),
    alarms: alarms.map(({ service, kind, problem }) => ({ service, kind, problem })),
    agreeing: agreed.size,
    agreed_at: [...agreed.values()].sort().at(-1) ?? null,
  };
}
