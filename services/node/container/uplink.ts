/**
 * What leads from one container run to the hub: its log, and its proxy.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { FairTurns } from "../../../shared/service/fair_turns.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Payloads } from "../encryption/payloads.ts";
import type { Hub } from "../hub/hub.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { createLogStream, type SendLog } from "../run/log_stream.ts";
import type { Hold } from "../run/slots.ts";
import { openCreationMemory } from "../subtasks/creation_memory.ts";
import type { Access } from "../subtasks/grant.ts";
import { openCorrespondence } from "../subtasks/correspondence.ts";
import type { RunBlobs } from "../subtasks/proxy/blobs.ts";
import { createProxy, type Proxy } from "../subtasks/proxy/proxy.ts";
import type { RunFolder } from "./run_folder.ts";

export interface Uplink {
  /** Takes the lines that the run prints. */
  onLog: (lines: string[]) => void;
  /** Answers the run, which has this secret. */
  serve: (token: string) => Proxy;
  /** The run is over: nothing is asked or sent in its name any more. */
  end(): void;
}

export interface UplinkTools {
  hub: Hub;
  payloads: Pick<Payloads, "codecOf">;
  /** The largest blob that a run may upload. */
  maxBlobBytes: number;
  /** Told of the input of a subtask before it leaves as a blob. */
  onBlobInput: (dispatch: Dispatch, blob: Parameters<RunBlobs["onInput"]>[0]) => Promise<void>;
  /** In which all runs of the agent do what takes much of its memory. */
  largeTurns: FairTurns<string>;
  /** Passes on a piece of a running algorithm's log. */
  sendLog: SendLog;
  log: Logger;
}

export interface OpenUplinkOptions extends UplinkTools {
  /** Whether the run may make subtasks. */
  maySend: boolean;
  folder: RunFolder;
  access: () => Promise<Access>;
  hold: Pick<Hold, "whileWaiting">;
  signal: AbortSignal;
}

export async function openUplink(
  dispatch: Dispatch,
  options: OpenUplinkOptions,
): Promise<Uplink> {
  const { hub, payloads, maxBlobBytes, onBlobInput, largeTurns, sendLog, log } = options;
  const { maySend, folder, access, hold, signal } = options;
  const over = new AbortController();
  const lines = createLogStream({ send: (piece) => sendLog(dispatch, piece) });
  const memory = await openCreationMemory(folder.created, attemptKey(dispatch));
  const correspondence = await openCorrespondence(`${folder.created}.sent`);
  const codec = payloads.codecOf(dispatch, correspondence);
  return {
    onLog: lines.push,
    serve: (token) =>
      createProxy({
        hub,
        attempt: dispatch.attempt,
        maySend,
        token,
        access,
        codec,
        correspondence,
        memory,
        blobs: {
          folder: folder.blobs,
          maxBytes: maxBlobBytes,
          onInput: (blob) => onBlobInput(dispatch, blob),
        },
        whileWaiting: hold.whileWaiting,
        inLargeTurn: (work) => largeTurns(attemptKey(dispatch), work),
        signal: AbortSignal.any([signal, over.signal]),
        log,
      }),
    end() {
      over.abort(new Error("the run is over"));
      lines.end();
    },
  };
}
