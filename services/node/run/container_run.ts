/**
 * One run in a container: from the hub's words to the engine's, with a proxy of its own, and back.
 * @module
 */
import { z } from "zod";
import type { Logger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import { persist } from "../hub/backoff.ts";
import {
  containerTokenAnswer,
  type ContainerTokenRequest,
} from "../../../shared/node_protocol/container_grant.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { type Hub, HubError } from "../hub/hub.ts";
import { claimsOf } from "../payload/payload.ts";
import type { PayloadCodec } from "../subtasks/payload_codec.ts";
import { openPosted } from "../subtasks/posted.ts";
import { createProxy, type Proxy } from "../subtasks/proxy.ts";
import { type Grant, grantSchema, makeProxyToken } from "../subtasks/token.ts";
import { attemptKey } from "../record/attempt_id.ts";
import type { Containers } from "../container/containers.ts";
import { ImageError } from "../container/image.ts";
import type { Target } from "../container/network/addresses.ts";
import type { RunHandle } from "./runtime.ts";
import { CannotStart } from "./cannot_start.ts";
import type { ReceiveInput } from "./input.ts";
import { createLogStream } from "./log_stream.ts";
import { chooseDatabases, type Execute, type Runner } from "./run.ts";
import type { Hold } from "./slots.ts";

export interface CreateContainerRunnerOptions {
  config: Pick<NodeConfig, "databases" | "limits">;
  containers: Containers;
  hub: Hub;
  codec: PayloadCodec;
  receiveInput: ReceiveInput;
  /** The largest blob that a run may upload. */
  maxBlobBytes: number;
  /** Told of the input of a subtask before it leaves as a blob. */
  onBlobInput: (blob: { bytes: number; sha256: string }) => Promise<void>;
  /** Passes on a piece of a running algorithm's log. */
  sendLog: (dispatch: Dispatch, piece: { seq: number; lines: string[] }) => void;
  log: Logger;
}

interface Access {
  token: string;
  grant: Grant;
}

/** What a run needs beside its container: its log on the way to the hub, and its proxy. */
interface Company {
  onLog: (lines: string[]) => void;
  serve: (token: string) => Proxy;
  end(): void;
}

export function createContainerRunner(
  {
    config,
    containers,
    hub,
    codec,
    receiveInput,
    maxBlobBytes,
    onBlobInput,
    sendLog,
    log,
  }: CreateContainerRunnerOptions,
): Runner {
  async function askAccess({ task_id, image }: Dispatch, signal: AbortSignal): Promise<Access> {
    const { container_token: token } = await hub.insist("/token/container", containerTokenAnswer, {
      method: "POST",
      body: { task_id, image } satisfies ContainerTokenRequest,
      signal,
    });
    return { token, grant: claimsOf(token, z.object({ sub: grantSchema })).sub };
  }

  async function company(
    dispatch: Dispatch,
    hold: Hold,
    signal: AbortSignal,
    access: () => Promise<Access>,
  ): Promise<Company> {
    const name = attemptKey(dispatch);
    const over = new AbortController();
    const lines = createLogStream({ send: (piece) => sendLog(dispatch, piece) });
    const place = containers.place(name);
    const posted = await openPosted(place.posted, name);
    return {
      onLog: lines.push,
      serve: (token) =>
        createProxy({
          hub,
          token,
          access,
          codec,
          posted,
          blobs: { folder: place.blobs, maxBytes: maxBlobBytes, onInput: onBlobInput },
          whileWaiting: hold.without,
          signal: AbortSignal.any([signal, over.signal]),
          log,
        }),
      end() {
        over.abort(new Error("the run is over"));
        lines.end();
      },
    };
  }

  /** The addresses of the databases that a run asks for, and of no other. */
  function reachOf({ databases }: Dispatch): Target[] {
    const asked = new Set(databases.map(({ label }) => label));
    return config.databases.filter(({ label }) => asked.has(label)).flatMap(({ reach }) => reach);
  }

  async function toItsEnd(handle: RunHandle, signal: AbortSignal) {
    const kill = () => void handle.kill();
    signal.addEventListener("abort", kill, { once: true });
    if (signal.aborted) kill();
    try {
      const outcome = await handle.done;
      if (!signal.aborted || outcome.status === "completed") return outcome;
      await outcome.release?.();
      throw signal.reason;
    } finally {
      signal.removeEventListener("abort", kill);
    }
  }

  return {
    prepare(dispatch, signal, hold) {
      const { image } = dispatch;
      const pulling = containers.images.get(image, signal);
      const asking = askAccess(dispatch, signal);
      for (const one of [pulling, asking]) one.catch(() => {}); // looked at below, if the hub agrees

      return async function make(text) {
        const { content: input, call } = await receiveInput(dispatch, text, signal);
        const databases = chooseDatabases(dispatch, config.databases).map((database, index) => ({
          ...database,
          request: dispatch.databases[index]!,
        }));
        // A slow registry keeps no other run from computing.
        const imageId = await hold.without(() => pulling).catch((error) => {
          if (!(error instanceof ImageError)) throw error;
          throw new CannotStart(error.message, "non-existing Docker image");
        });
        const access = await asking.catch((error) => {
          if (!(error instanceof HubError)) throw error;
          throw new CannotStart(
            `Could not obtain algorithm container token: ${error.message}`,
            "failed",
          );
        });

        return async function execute(hold) {
          const beside = await company(dispatch, hold, signal, () => Promise.resolve(access));
          const token = makeProxyToken(access.grant);
          log.info("Running a container", { image, image_id: imageId });
          try {
            const handle = await containers.start({
              name: attemptKey(dispatch),
              resultId: dispatch.result_id,
              jobId: dispatch.run_id,
              imageId,
              context: call && {
                nodeId: access.grant.node_id,
                taskId: dispatch.task_id,
                collaborationId: dispatch.collaboration_id,
                ...call,
              },
              input,
              databases,
              labels: config.databases.map(({ label }) => label),
              reach: reachOf(dispatch),
              limits: config.limits,
              onLog: beside.onLog,
              token,
              serve: beside.serve(token),
            });
            return await toItsEnd(handle, signal);
          } finally {
            beside.end();
          }
        };
      };
    },

    async reattach(dispatch, signal): Promise<Execute | undefined> {
      let hold: Hold | undefined;
      let access: Promise<Access> | undefined;
      const beside = await company(
        dispatch,
        { without: (work) => hold ? hold.without(work) : work(), release() {} },
        signal,
        () => access ??= askAccess(dispatch, signal),
      );
      // Without an answer from the engine nobody knows whether the run is still under way.
      const handle = await persist(() =>
        containers.reattach(attemptKey(dispatch), {
          jobId: dispatch.run_id,
          reach: reachOf(dispatch),
          limits: config.limits,
          onLog: beside.onLog,
          serve: beside.serve,
        }), {
        what: "ask the container engine for a run of an earlier time",
        log,
        signal,
      });
      if (!handle) return beside.end() as undefined;
      return async function goOn(given) {
        hold = given;
        try {
          return await toItsEnd(handle, signal);
        } finally {
          beside.end();
        }
      };
    },
  };
}
