/**
 * Telling the hub which algorithms may run here, where the owner lets the node tell of itself
 * (option `share_config`).
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { ToldAlgorithm } from "../../../shared/node_protocol/algorithms.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Hub } from "./hub.ts";

export interface TellAlgorithmsOptions {
  offered: () => Promise<ToldAlgorithm[]>;
  hub: Pick<Hub, "insist">;
  nodeId: number;
  log: Logger;
  /** Ends it. */
  signal: AbortSignal;
  everyMs?: number;
}

/** So often the same is told again: the hub's database may be an older one than it was. */
const AGAIN_MS = 24 * 3_600_000;

/** Tells the hub what there is, and within a minute what has changed, until it is told to end. */
export async function tellAlgorithms(
  { offered, hub, nodeId, log, signal, everyMs = 60_000 }: TellAlgorithmsOptions,
): Promise<void> {
  let told = "";
  let toldAt = 0;
  while (!signal.aborted) {
    try {
      const body = { algorithms: await offered() };
      const text = JSON.stringify(body);
      if (text !== told || performance.now() - toldAt > AGAIN_MS) {
        // What is refused is not said twice.
        [told, toldAt] = [text, performance.now()];
        const path = `/node/${nodeId}/algorithms`;
        await hub.insist(path, z.unknown(), { method: "PUT", body, signal });
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn("Cannot tell the hub which algorithms may run here", { reason: messageOf(error) });
    }
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}
