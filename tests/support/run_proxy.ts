/**
 * What a run may ask of the hub, and its proxy, as the agent opens it for a container: for tests.
 * @module
 */
import { silentLogger } from "../../shared/service/log.ts";
import { createTurns } from "../../shared/service/turns.ts";
import { openCreationMemory } from "../../services/node/subtasks/creation_memory.ts";
import type { Grant } from "../../services/node/subtasks/grant.ts";
import { plainPayloads } from "../../services/node/subtasks/payload_codec.ts";
import {
  createProxy,
  type Proxy,
  type ProxyOptions,
} from "../../services/node/subtasks/proxy/proxy.ts";

/** What the hub grants the run of task 5. */
export const GRANT: Grant = {
  node_id: 7,
  organization_id: 3,
  collaboration_id: 2,
  study_id: null,
  store_id: null,
  task_id: 5,
  image: "i",
  databases: [],
};

export interface OpenRunProxyOptions
  extends
    Pick<ProxyOptions, "hub" | "token">,
    Partial<Omit<ProxyOptions, "hub" | "token" | "access" | "memory">> {
  /** For what the run remembers and for its blobs. */
  folder: string;
  /** What a run is told apart by in the folder. */
  run?: string;
  grant?: Grant;
}

/** The proxy of a run whose turn it always is, but for what is given. */
export async function openRunProxy(
  { folder, run = "posted", grant = GRANT, ...given }: OpenRunProxyOptions,
): Promise<Proxy> {
  return createProxy({
    attempt: 1,
    access: () => Promise.resolve({ token: "hub-token", grant }),
    codec: plainPayloads,
    memory: await openCreationMemory(`${folder}/${run}`, "11-1"),
    blobs: { folder, maxBytes: 2 ** 20, onInput: () => Promise.resolve() },
    whileWaiting: (work) => work(),
    inLargeTurn: createTurns(1),
    signal: new AbortController().signal,
    log: silentLogger,
    ...given,
  });
}
