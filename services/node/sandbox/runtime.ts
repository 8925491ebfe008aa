/**
 * The sandbox as a runtime: from the hub's words to the sandbox's, and back.
 * @module
 */
import { join } from "node:path";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { FairTurns } from "../../../shared/service/fair_turns.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { AlgorithmSettings, NodeConfig } from "../config/config.ts";
import { wantedDatabases } from "../data/databases.ts";
import type { Tables } from "../data/tables.ts";
import type { Exit } from "../disclosure/exit.ts";
import type { Exits } from "../disclosure/exits.ts";
import type { GuardCounts } from "../disclosure/guarded/asking.ts";
import type { LedgerOfRuns } from "../disclosure/ledger/ledger_of_runs.ts";
import type { Payloads } from "../encryption/payloads.ts";
import type { Hub, NodeIdentity } from "../hub/hub.ts";
import type { WayOut } from "../hub/way_out.ts";
import { matches } from "../policy/references.ts";
import { attemptKey } from "../record/attempt_key.ts";
import { resolveAlgorithm } from "../run/algorithm_store.ts";
import { CannotStart } from "../run/cannot_start.ts";
import { codeNamedIn } from "../run/code.ts";
import type { Input, ReceiveInput } from "../run/input.ts";
import { createLogStream, type SendLog } from "../run/log_stream.ts";
import { followToEnd } from "../run/outcome.ts";
import type { Outcome, Preparation, Runtime } from "../run/runtime.ts";
import type { Hold } from "../run/slots.ts";
import { CLOSED_CLIENT, createSubtaskClient } from "../subtasks/sandbox_client.ts";
import { createReading } from "./reading.ts";
import type { RunSpec } from "./run_spec.ts";
import type { Sandbox } from "./sandbox.ts";

/** V8 holds no longer text. */
const LONGEST_INPUT_MIB = 511;

export interface SandboxRuntimeOptions {
  config: Pick<
    NodeConfig,
    | "algorithmFolders"
    | "algorithmLibrary"
    | "algorithmSettings"
    | "databases"
    | "dataFolder"
    | "disclosure"
    | "limits"
    | "policy"
  >;
  identity: NodeIdentity;
  /** In which all runs of the agent do what takes much of its memory. */
  largeTurns: FairTurns<string>;
  tables: Tables;
  sandbox: Pick<Sandbox, "start">;
  hub: Hub;
  payloads: Payloads;
  receiveInput: ReceiveInput;
  /** By which algorithms that have an address are fetched. */
  wayOut: Pick<WayOut, "fetch">;
  /** What may leave of a run. */
  exits: Exits;
  /** What left before; undefined where the site has no rules. */
  ledger?: LedgerOfRuns | undefined;
  /** Passes on a piece of a running algorithm's log. */
  sendLog: SendLog;
  /** Told what a run has asked of its tables without seeing rows. */
  onGuarded: (dispatch: Dispatch, counts: GuardCounts) => void;
  log: Logger;
}

/** What a run begins with beside its work. */
interface Start {
  hold: Hold;
  /** Resolves when the record says that it begins. */
  noted?: Promise<unknown>;
  exit: Exit;
  signal: AbortSignal;
}

/** Runs of the sandbox end with the agent: there is nothing to take up again. */
export function createSandboxRuntime(
  {
    config,
    identity,
    tables,
    sandbox,
    hub,
    payloads,
    receiveInput,
    wayOut,
    sendLog,
    exits,
    onGuarded,
    ledger,
    largeTurns,
    log,
  }: SandboxRuntimeOptions,
): Runtime {
  async function execute(
    spec: Omit<RunSpec, "client" | "onLog">,
    dispatch: Dispatch,
    { hold, noted, exit, signal }: Start,
  ): Promise<Outcome> {
    const over = new AbortController();
    const lines = createLogStream({ send: (piece) => sendLog(dispatch, piece) });
    const { result_id, attempt } = dispatch;
    log.info("Running", { result_id, attempt });
    const client = createSubtaskClient({
      hub,
      payloads,
      dispatch,
      log,
      signal: AbortSignal.any([signal, over.signal]),
      whileWaiting: hold.whileWaiting,
      largeTurns,
    });
    const handle = await sandbox.start({
      ...spec,
      noted,
      onLog: lines.push,
      onGuarded: (counts) => onGuarded(dispatch, counts),
      client: exit.maySend ? client : CLOSED_CLIENT,
    });
    try {
      return await followToEnd(handle, signal);
    } finally {
      over.abort(new Error("the run is over"));
      lines.end();
    }
  }

  const readFor = createReading({ config, tables, ledger });

  function prepare(dispatch: Dispatch, signal: AbortSignal): Preparation {
    const algorithm = algorithmOf(dispatch.image, config, wayOut);
    // What is wrong with it is looked at below, if the hub agrees.
    const found = algorithm.then(({ code }) => code, () => undefined);
    const named = codeNamedIn(dispatch.image);

    async function specify(text: string | null) {
      const resolved = await algorithm.catch((error) => {
        throw whyNotUsable(error, dispatch.image, log);
      });
      const wanted = wantedDatabases(dispatch, config.databases);
      // Last, because it may take much to be fetched, opened and read.
      const received = await receiveInput(dispatch, text, signal);
      const input = readableInput(received);
      const ruled = await exits.ofSandbox(resolved, {
        image: dispatch.image,
        call: received.call,
        isSubtask: dispatch.parent_id !== null,
      });
      const { databases, exit, mayTell } = await readFor(dispatch, { ruled, wanted }, signal);
      const spec = {
        name: attemptKey(dispatch),
        algorithm: resolved,
        input,
        databases,
        access: exit.access,
        ...(mayTell ? { mayTell } : {}),
        words: exit.words,
        knownRows: exit.knownRows,
        place: placeOf(dispatch, identity, config),
        allowWhere: config.policy.allowWhere,
        limits: config.limits,
      };
      return {
        execute: (hold: Hold, noted = Promise.resolve<unknown>(undefined)) =>
          execute(spec, dispatch, { hold, noted, exit, signal }),
        exit,
        origin: received.origin,
        method: received.call?.method,
      };
    }
    // A download is not waited for: under its address nothing else runs.
    return { code: named === undefined ? found : Promise.resolve(named), specify };
  }

  return { fetch: (dispatch, signal) => Promise.resolve(() => prepare(dispatch, signal)) };
}

function algorithmOf(
  image: string,
  { algorithmFolders, algorithmLibrary, dataFolder }: SandboxRuntimeOptions["config"],
  { fetch }: SandboxRuntimeOptions["wayOut"],
): ReturnType<typeof resolveAlgorithm> {
  const cacheDir = join(dataFolder, "algorithms");
  return resolveAlgorithm(image, {
    folders: algorithmFolders,
    library: algorithmLibrary,
    cacheDir,
    fetch,
  });
}

/** A {@linkcode CannotStart} for what is wrong with an algorithm; any other error as it is. */
function whyNotUsable(error: unknown, image: string, log: Logger): unknown {
  if (!(error instanceof SextantError)) return error;
  log.info("The algorithm cannot be used", { image, error });
  return new CannotStart(error.message);
}

/** Where a run is, as its algorithm is told. */
function placeOf(
  { image, task_id, run_id }: Dispatch,
  { organization, id, name }: NodeIdentity,
  { algorithmSettings, disclosure }: SandboxRuntimeOptions["config"],
): RunSpec["place"] {
  return {
    organization,
    node: { id, name },
    task: { id: task_id, runId: run_id },
    settings: settingsOf(image, algorithmSettings),
    disclosure: disclosure?.rules ?? null,
  };
}

/** What the owner has set for an algorithm; the first entry that names it counts. */
function settingsOf(image: string, settings: NodeConfig["algorithmSettings"]): AlgorithmSettings {
  return settings.find(({ name }) => matches(name, image))?.settings ?? {};
}

/** Throws a {@linkcode CannotStart} for an input that an algorithm in the sandbox cannot read. */
function readableInput(input: Input): RunSpec["input"] {
  if (input.call === null) {
    if (input.content.size <= LONGEST_INPUT_MIB * 2 ** 20) return input.content;
    const size = Math.ceil(input.content.size / 2 ** 20);
    throw new CannotStart(
      `The input has ${size} MiB; the sandbox takes at most ${LONGEST_INPUT_MIB} MiB. ` +
        "An algorithm in a container image can take more.",
    );
  }
  if (input.isJson && input.isExact) return { method: input.call.method, json: input.content };
  if (input.isJson) {
    throw new CannotStart(
      "The input has a number that a JavaScript number cannot hold, so it would arrive as another one. " +
        "Send it as text; an algorithm in a container image can take it as it is.",
    );
  }
  throw new CannotStart(
    "The input has NaN or Infinity, which JSON does not have. The sandbox takes JSON only; " +
      "an algorithm in a container image can take them.",
  );
}
