/**
 * Containers as a runtime: from the hub's words to the engine's, with a proxy for each run, and
 * back.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import { wantedDatabases } from "../data/databases.ts";
import { persist } from "../hub/backoff.ts";
import { type Hub, HubError } from "../hub/hub.ts";
import { attemptKey } from "../record/attempt_id.ts";
import { CannotStart } from "../run/cannot_start.ts";
import type { ReceiveInput } from "../run/input.ts";
import { createLogStream, type SendLog } from "../run/log_stream.ts";
import { followToEnd } from "../run/outcome.ts";
import type { Execute, Runtime } from "../run/runtime.ts";
import type { Hold } from "../run/slots.ts";
import { openCreationMemory } from "../subtasks/creation_memory.ts";
import { type Access, askAccess } from "../subtasks/grant.ts";
import type { PayloadCodec } from "../subtasks/payload_codec.ts";
import { createProxy, type Proxy } from "../subtasks/proxy/proxy.ts";
import { createProxyToken } from "../subtasks/proxy/token.ts";
import type { Containers } from "./containers.ts";
import { ImageError } from "./image.ts";
import type { Target } from "./network/routes.ts";

export interface ContainerRuntimeOptions {
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
  sendLog: SendLog;
  log: Logger;
}

/** What leads from a run to the hub: its log, and its proxy. */
interface Uplink {
  onLog: (lines: string[]) => void;
  serve: (token: string) => Proxy;
  end(): void;
}

/** Runs outlive the agent: the next one takes them up again. */
export function createContainerRuntime(
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
  }: ContainerRuntimeOptions,
): Runtime {
  async function openUplink(
    dispatch: Dispatch,
    { access, hold, signal }: {
      access: () => Promise<Access>;
      hold: Pick<Hold, "without">;
      signal: AbortSignal;
    },
  ): Promise<Uplink> {
    const name = attemptKey(dispatch);
    const over = new AbortController();
    const lines = createLogStream({ send: (piece) => sendLog(dispatch, piece) });
    const { created, blobs } = containers.folderOf(name);
    const memory = await openCreationMemory(created, name);
    return {
      onLog: lines.push,
      serve: (token) =>
        createProxy({
          hub,
          token,
          access,
          codec,
          memory,
          blobs: { folder: blobs, maxBytes: maxBlobBytes, onInput: onBlobInput },
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
  function targetsOf({ databases }: Dispatch): Target[] {
    const asked = new Set(databases.map(({ label }) => label));
    return config.databases.filter(({ label }) => asked.has(label)).flatMap(({ reach }) => reach);
  }

  /** What a container is told the same when it is started and when it is taken up again. */
  function commonOf(dispatch: Dispatch, { onLog }: Uplink) {
    return {
      name: attemptKey(dispatch),
      jobId: dispatch.run_id,
      targets: targetsOf(dispatch),
      limits: config.limits,
      onLog,
    };
  }

  return {
    prepare(dispatch, signal, hold) {
      const { image, task_id } = dispatch;
      const pulling = containers.images.get(image, signal);
      const asking = askAccess(hub, { task_id, image }, signal);
      for (const one of [pulling, asking]) one.catch(() => {}); // looked at below, if the hub agrees

      return async function specify(text) {
        const { content: input, call } = await receiveInput(dispatch, text, signal);
        const databases = wantedDatabases(dispatch, config.databases).map(
          ({ database }, index) => ({ ...database, request: dispatch.databases[index]! }),
        );
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
        const context = call && {
          nodeId: access.grant.node_id,
          taskId: task_id,
          collaborationId: dispatch.collaboration_id,
          ...call,
        };

        return async function execute(hold) {
          const uplink = await openUplink(dispatch, {
            access: () => Promise.resolve(access),
            hold,
            signal,
          });
          const token = createProxyToken(access.grant);
          log.info("Running a container", { image, image_id: imageId });
          try {
            const handle = await containers.start({
              ...commonOf(dispatch, uplink),
              resultId: dispatch.result_id,
              imageId,
              context,
              input,
              databases,
              labels: config.databases.map(({ label }) => label),
              token,
              serve: uplink.serve(token),
            });
            return await followToEnd(handle, signal);
          } finally {
            uplink.end();
          }
        };
      };
    },

    async reattach(dispatch, signal): Promise<Execute | undefined> {
      const { image, task_id } = dispatch;
      let hold: Hold | undefined;
      let access: Promise<Access> | undefined;
      const uplink = await openUplink(dispatch, {
        access: () => access ??= askAccess(hub, { task_id, image }, signal),
        hold: { without: (work) => hold ? hold.without(work) : work() },
        signal,
      });
      try {
        // Without an answer from the engine nobody knows whether the run is still under way.
        const handle = await persist(
          () => containers.reattach({ ...commonOf(dispatch, uplink), serve: uplink.serve }),
          { what: "ask the container engine for a run of an earlier time", log, signal },
        );
        if (!handle) {
          uplink.end();
          return undefined;
        }
        return async function goOn(given) {
          hold = given;
          try {
            return await followToEnd(handle, signal);
          } finally {
            uplink.end();
          }
        };
      } catch (error) {
        uplink.end();
        throw error;
      }
    },
  };
}
