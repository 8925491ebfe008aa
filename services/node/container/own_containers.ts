/**
 * The containers of one agent, as the engine has them: found by their labels, made and removed.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { type Engine, EngineError } from "./engine.ts";
import { readWays, type Way, writeWays } from "./network/addresses.ts";

const AGENT_LABEL = "sextant.agent";
const RUN_LABEL = "sextant.run";
const REACH_LABEL = "sextant.reach";

export interface OwnContainers {
  /** What a container is known by: its run, and the ways it has. */
  labels(run: string, ways: readonly Way[]): Record<string, string>;
  /** Makes the container of a run in place of any earlier one; gives its id. */
  make(run: string, body: Record<string, unknown>): Promise<string>;
  find(run: string): Promise<string | undefined>;
  /** All of them, with the names of their runs. */
  list(): Promise<{ id: string; run: string }[]>;
  /** The ways that a container was made with. */
  waysOf(id: string): Promise<Way[]>;
  /** Never rejects: what cannot be removed now is left for {@linkcode removeRest}, and for the next start. */
  remove(id: string): Promise<void>;
  /** Tries again with what could not be removed. */
  removeRest(): Promise<void>;
}

export function ownContainers(
  { engine, agentId, log }: { engine: Engine; agentId: string; log: Logger },
): OwnContainers {
  async function list(run?: string): Promise<{ id: string; run: string }[]> {
    const label = [`${AGENT_LABEL}=${agentId}`, ...(run ? [`${RUN_LABEL}=${run}`] : [])];
    const filters = encodeURIComponent(JSON.stringify({ label }));
    const schema = z.array(z.object({
      Id: z.string(),
      Labels: z.record(z.string(), z.string()).nullable(),
    }));
    const all = await engine.json("GET", `/containers/json?all=true&filters=${filters}`, schema);
    return all.map(({ Id, Labels }) => ({ id: Id, run: Labels?.[RUN_LABEL] ?? "" }));
  }

  const rest = new Set<string>();

  async function remove(id: string): Promise<void> {
    rest.delete(id);
    // The engine may be slow to see that a container has ended.
    for (let tries = 1;; tries++) {
      try {
        return await engine.done("DELETE", `/containers/${id}?force=true&v=true`);
      } catch (error) {
        if (error instanceof EngineError && error.status === 404) return;
        if (tries === 10) {
          rest.add(id);
          return log.warn("Cannot remove a container", { container: id, reason: messageOf(error) });
        }
        await delay(100 * tries);
      }
    }
  }

  return {
    list: () => list(),
    remove,
    async removeRest() {
      for (const id of [...rest]) await remove(id);
    },
    labels: (run, ways) => ({
      [AGENT_LABEL]: agentId,
      [RUN_LABEL]: run,
      [REACH_LABEL]: writeWays(ways),
      "vantage6-type": "algorithm",
    }),
    async make(run, body) {
      for (const { id } of await list(run)) await remove(id);
      const path = `/containers/create?name=sextant-${agentId.slice(0, 8)}-${run}`;
      return (await engine.json("POST", path, z.object({ Id: z.string() }), { body })).Id;
    },
    find: async (run) => (await list(run))[0]?.id,
    async waysOf(id) {
      const { Config } = await engine.json("GET", `/containers/${id}/json`, labelsSchema);
      return readWays(Config.Labels[REACH_LABEL]);
    },
  };
}

const labelsSchema = z.object({
  Config: z.object({ Labels: z.record(z.string(), z.string()).default({}) }),
});
