/**
 * What a container prints, as it prints it.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { isAlive } from "./container_state.ts";
import { type Engine, EngineError } from "./engine.ts";
import { readLogFrames } from "./log_frames.ts";

/** How long to wait before an engine that broke off is asked again. */
const RETRY_MS = 500;

export interface FollowLogOptions {
  /** The container's id. */
  id: string;
  /** Its first process. */
  pid: number;
  /** Gives up following. */
  signal: AbortSignal;
  log: Logger;
  /** Told what was printed; `channel` is 1 for standard output and 2 for standard error. */
  onPiece: (piece: Uint8Array, channel: number) => void;
}

/**
 * Passes on what a container prints, each byte once, through restarts of the engine. Resolves when
 * there is no more.
 */
export async function followLog(
  engine: Engine,
  { id, pid, signal, log, onPiece }: FollowLogOptions,
): Promise<void> {
  const path = `/containers/${id}/logs?follow=1&stdout=1&stderr=1`;
  /** Bytes of each channel that have been passed on. */
  const passed = new Map<number, number>();
  while (!signal.aborted) {
    // The engine begins with the first line each time.
    const known = new Map(passed);
    try {
      const pieces = await engine.request("GET", path, { signal });
      await readLogFrames(pieces, (piece, channel) => {
        const old = Math.min(known.get(channel) ?? 0, piece.length);
        known.set(channel, (known.get(channel) ?? 0) - old);
        if (old === piece.length) return;
        passed.set(channel, (passed.get(channel) ?? 0) + piece.length - old);
        onPiece(piece.subarray(old), channel);
      });
      // An engine that is told to stop ends its answers in order.
      if (!await isAlive(pid)) return;
    } catch (error) {
      if (signal.aborted) return;
      log.warn("A container's log is cut off", { reason: messageOf(error) });
      if (error instanceof EngineError && error.status !== undefined) return;
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}
