/**
 * The containers of one agent, as the engine has them: found by their labels, created and removed.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { type Engine, EngineError } from "./engine.ts";
import { readRoutes, type Route, writeRoutes } from "./network/routes.ts";

const AGENT_LABEL = "sextant.agent";
const RUN_LABEL = "sextant.run";
const ROUTES_LABEL = "sextant.reach";

export interface AgentContainers {
  /** What a container is known by: its run, and the routes it has. */
  labels(run: string, routes: readonly Route[]): Record<string, string>;
  /** Creates the container of a run instead of any earlier one; gives its id. */
  create(run: string, body: Record<string, unknown>): Promise<string>;
  find(run: string): Promise<string | undefined>;
  /** All of them, with the names of their runs. */
  list(): Promise<{ id: string; run: string }[]>;
  /** The routes that a container was created with. */
  routesOf(id: string): Promise<Route[]>;
  /**
   * Never rejects: what cannot be removed now is left for {@linkcode removeRest}, and for the next
   * start.
   */
  remove(id: string): Promise<void>;
  /** Tries again with what could not be removed. */
  removeRest(): Promise<void>;
}

export function createAgentContainers(
  { engine, agentId, log }: { engine: Engine; agentId: string; log: Logger },
): AgentContainers {
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

  /** Those that could not be removed. */
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
    labels: (run, routes) => ({
      [AGENT_LABEL]: agentId,
      [RUN_LABEL]: run,
      [ROUTES_LABEL]: writeRoutes(routes),
      "vantage6-type": "algorithm",
    }),
    async create(run, body) {
      for (const { id } of await list(run)) await remove(id);
      const path = `/containers/create?name=sextant-${agentId.slice(0, 8)}-${run}`;
      return (await engine.json("POST", path, z.object({ Id: z.string() }), { body })).Id;
    },
    find: async (run) => (await list(run))[0]?.id,
    async routesOf(id) {
      const { Config } = await engine.json("GET", `/containers/${id}/json`, labelsSchema);
      return readRoutes(Config.Labels[ROUTES_LABEL]);
    },
  };
}

const labelsSchema = z.object({
  Config: z.object({ Labels: z.record(z.string(), z.string()).default({}) }),
});
