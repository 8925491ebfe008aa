/**
 * Containers as a runtime: from the hub's words to the engine's, with a proxy for each run, and
 * back.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { NodeConfig } from "../config/config.ts";
import { wantedDatabases } from "../data/databases.ts";
import type { Exits } from "../disclosure/exits.ts";
import { persist } from "../hub/persist.ts";
import { HubError } from "../hub/hub.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { CannotStart } from "../run/cannot_start.ts";
import { codeNamedIn } from "../run/code.ts";
import type { ReceiveInput } from "../run/input.ts";
import { followToEnd } from "../run/outcome.ts";
import type { Execute, Outcome, Preparation, RunHandle, Runtime } from "../run/runtime.ts";
import type { Hold } from "../run/slots.ts";
import { type Access, askAccess, askAccessOnce } from "../subtasks/grant.ts";
import { createProxyToken } from "../subtasks/proxy/token.ts";
import type { Containers } from "./containers.ts";
import type { Image } from "./image.ts";
import { ImageError } from "./image_reference.ts";
import type { RunSpec } from "./run_spec.ts";
import { openUplink, type Uplink, type UplinkTools } from "./uplink.ts";

export interface ContainerRuntimeOptions extends UplinkTools {
  config: Pick<NodeConfig, "databases" | "limits">;
  containers: Containers;
  receiveInput: ReceiveInput;
  /** What may leave of a run. */
  exits: Exits;
}

/** Runs outlive the agent: the next one takes them up again. */
export function createContainerRuntime(
  { config, containers, receiveInput, exits, ...tools }: ContainerRuntimeOptions,
): Runtime {
  const { hub, log } = tools;

  function prepare(
    dispatch: Dispatch,
    { id: imageId, digest }: Image,
    signal: AbortSignal,
  ): Preparation {
    const asking = askAccess(hub, dispatch, signal);
    asking.catch(() => {}); // looked at below, if the hub agrees

    async function specify(text: string | null) {
      const databases = wantedDatabases(dispatch, config.databases).map(
        ({ database }, index) => ({ ...database, request: dispatch.databases[index]! }),
      );
      // Last, because it may take much to be fetched, opened and read.
      const { content: input, call, origin } = await receiveInput(dispatch, text, signal);
      const access = await asking.catch(refuseAccess);
      const spec = {
        resultId: dispatch.result_id,
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
        token: createProxyToken(access.grant),
      };
      return {
        async execute(hold: Hold, noted?: Promise<unknown>) {
          // What is started and not on the disk would be started again.
          await noted;
          return await execute(dispatch, spec, {
            ...tools,
            config,
            containers,
            exits,
            access,
            hold,
            signal,
          });
        },
        imageId,
        origin,
        method: call?.method,
        exit: exits.ofContainer(dispatch.image),
      };
    }
    const named = codeNamedIn(dispatch.image);
    return { code: Promise.resolve(named ?? digest), byTag: named === undefined, specify };
  }

  return {
    exitOf: ({ image }) => exits.ofContainer(image),

    async fetch(dispatch, signal, hold) {
      exits.admitContainer(dispatch.image);
      const get = () => containers.images.get(dispatch.image, { jobId: dispatch.run_id, signal });
      // A slow registry keeps no other run from computing.
      const image = await hold.without(get).catch(refuseImage);
      return () => prepare(dispatch, image, signal);
    },

    async reattach(dispatch, signal): Promise<Execute | undefined> {
      let hold: Hold | undefined;
      const uplink = await openUplink(dispatch, {
        ...tools,
        maySend: exits.ofContainer(dispatch.image).maySend,
        folder: containers.folderOf(attemptKey(dispatch)),
        access: askAccessOnce(hub, dispatch, signal),
        hold: { whileWaiting: (work) => hold ? hold.whileWaiting(work) : work() },
        signal,
      });
      let handle: RunHandle | undefined;
      try {
        // Without an answer from the engine nobody knows whether the run is still under way.
        handle = await persist(
          () => containers.reattach({ ...commonOf(dispatch, config, uplink), serve: uplink.serve }),
          { what: "ask the container engine for a run of an earlier time", log, signal },
        );
      } finally {
        if (!handle) uplink.end();
      }
      const taken = handle;
      if (!taken) return undefined;
      return async function goOn(given) {
        hold = given;
        return await followToEnd(taken, signal).finally(uplink.end);
      };
    },
  };
}

async function execute(
  dispatch: Dispatch,
  spec: Omit<RunSpec, keyof ReturnType<typeof commonOf> | "serve">,
  { config, containers, exits, access, hold, signal, ...tools }:
    & Omit<ContainerRuntimeOptions, "receiveInput">
    & { access: Access; hold: Hold; signal: AbortSignal },
): Promise<Outcome> {
  const uplink = await openUplink(dispatch, {
    ...tools,
    maySend: exits.ofContainer(dispatch.image).maySend,
    folder: containers.folderOf(attemptKey(dispatch)),
    access: () => Promise.resolve(access),
    hold,
    signal,
  });
  tools.log.info("Running a container", { image: dispatch.image, image_id: spec.imageId });
  try {
    const serve = uplink.serve(spec.token);
    const handle = await containers.start({
      ...commonOf(dispatch, config, uplink),
      ...spec,
      serve,
    });
    return await followToEnd(handle, signal);
  } finally {
    uplink.end();
  }
}

/** What a container is told the same when it is started and when it is taken up again. */
function commonOf(
  dispatch: Dispatch,
  { databases, limits }: ContainerRuntimeOptions["config"],
  { onLog }: Uplink,
) {
  // The addresses of the databases that a run asks for, and of no other.
  const asked = new Set(dispatch.databases.map(({ label }) => label));
  const targets = databases.filter(({ label }) => asked.has(label)).flatMap(({ reach }) => reach);
  return { name: attemptKey(dispatch), jobId: dispatch.run_id, targets, limits, onLog };
}

function refuseImage(error: unknown): never {
  if (!(error instanceof ImageError)) throw error;
  throw new CannotStart(error.message, "non-existing Docker image");
}

function refuseAccess(error: unknown): never {
  if (!(error instanceof HubError)) throw error;
  throw new CannotStart(
    `Could not obtain algorithm container token: ${error.message}`,
    "failed",
  );
}
