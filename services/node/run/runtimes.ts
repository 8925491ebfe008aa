/**
 * Both runtimes of an agent: the sandbox for algorithms named `deno:…`, containers for the rest,
 * where there is an engine.
 * @module
 */
import { join } from "node:path";
import type { Logger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import { openContainers } from "../container/open_containers.ts";
import { createContainerRuntime } from "../container/runtime.ts";
import type { Tables } from "../data/tables.ts";
import type { Payloads } from "../encryption/payloads.ts";
import type { Broker } from "../hub/broker.ts";
import type { Hub, NodeIdentity } from "../hub/hub.ts";
import type { WayOut } from "../hub/way_out.ts";
import { type AuditLog, auditOfAttempt } from "../record/audit_log.ts";
import type { Journal } from "../record/journal.ts";
import { openLedgerOfRuns } from "../disclosure/ledger/ledger_of_runs.ts";
import { createExits } from "../disclosure/exits.ts";
import { readSelfOnce } from "../sandbox/read_self.ts";
import { createFairTurns } from "../../../shared/service/fair_turns.ts";
import { createSandboxRuntime } from "../sandbox/runtime.ts";
import type { Sandbox, SandboxOptions } from "../sandbox/sandbox.ts";
import type { ReceiveInput } from "./input.ts";
import { toldDescription } from "../../../shared/node_protocol/description.ts";
import type { Description } from "../algorithms/sextant/description.ts";
import { createSendLog } from "./log_stream.ts";
import type { ResolvedAlgorithm } from "./algorithm_store.ts";
import type { RunLimits, Runtime } from "./runtime.ts";

/** Runs that may send or get something large at once: each takes some 300 MiB meanwhile. */
const LARGE_AT_ONCE = 2;

export interface Runtimes {
  /** What runs the algorithm that is named so. */
  runtimeOf(image: string): Runtime;
  sandbox: Pick<Sandbox, "start">;
  close(): Promise<void>;
}

export interface OpenRuntimesOptions {
  tables: Tables;
  config: NodeConfig;
  identity: NodeIdentity;
  hub: Hub;
  broker: Broker;
  journal: Journal;
  audit: AuditLog;
  payloads: Payloads;
  receiveInput: ReceiveInput;
  wayOut: WayOut;
  log: Logger;
  openSandbox: (options: SandboxOptions) => Promise<Sandbox>;
}

/** Takes up the sandbox and the engine, and what ran there when an earlier agent died. */
export async function openRuntimes({
  config,
  tables,
  identity,
  hub,
  broker,
  journal,
  audit,
  payloads,
  receiveInput,
  wayOut,
  log,
  openSandbox,
}: OpenRuntimesOptions): Promise<Runtimes> {
  const { dataFolder: folder, limits, containers: options } = config;
  const sendLog = config.shareLogs ? createSendLog({ broker, nodeId: identity.id, log }) : () => {};
  const sandbox = await openSandbox({ folder, log, limits, maxRuns: config.maxRuns });
  try {
    for (const { name, stands, note } of sandbox.walls) {
      if (!stands) log.warn("A wall around algorithms does not stand here", { wall: name, note });
    }
    const containers = await openContainers({ options, folder, journal, hub, wayOut, log });
    const exits = createExits({
      ...config,
      describe: (algorithm) => describeOnce(algorithm, { folder, sandbox, limits }),
    });
    const largeTurns = createFairTurns<string>(LARGE_AT_ONCE);
    const common = { config, hub, receiveInput, sendLog, exits, largeTurns, log };
    const rules = config.disclosure?.ledger ? config.disclosure.rules : undefined;
    const ledger = rules && await openLedgerOfRuns({ dataFolder: folder, rules, audit, log });
    const inSandbox = createSandboxRuntime({
      ...common,
      ledger,
      identity,
      tables,
      sandbox,
      payloads,
      wayOut,
      onGuarded: (dispatch, counts) =>
        auditOfAttempt(audit, dispatch)("disclosure", { decision: "answered", ...counts }),
    });
    const inContainers = containers && createContainerRuntime({
      ...common,
      containers,
      payloads,
      maxBlobBytes: options!.limits.diskMiB * 2 ** 20,
      onBlobInput: (dispatch, blob) =>
        auditOfAttempt(audit, dispatch)("subtask input leaves", { ...blob }),
    });
    return {
      sandbox,
      runtimeOf: (image) => image.startsWith("deno:") ? inSandbox : inContainers ?? inSandbox,
      async close() {
        await containers?.close();
        await sandbox.close();
      },
    };
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

/** What an algorithm says of itself; undefined for nothing that can be read. */
async function describeOnce(
  algorithm: ResolvedAlgorithm,
  { folder, sandbox, limits }: { folder: string; sandbox: Sandbox; limits: RunLimits },
): Promise<Description | undefined> {
  const cacheDir = join(folder, "algorithms");
  const { signal } = new AbortController();
  // One that cannot be asked says why when it runs.
  const self = await readSelfOnce(algorithm, { cacheDir, sandbox, limits, signal })
    .catch(() => undefined);
  return toldDescription.safeParse(self?.description).data;
}
