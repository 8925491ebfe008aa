/**
 * The node agent: the hub's hand at a data station.
 *
 * It talks to the hub over one outbound connection to the broker, and over HTTP for its token and
 * for large payloads. It survives the loss of either, restarts of everything around it, and its own
 * death at any moment: what it has promised is in its journal.
 *
 * One run: `run/intake.ts` takes its dispatch and `run/attempts.ts` has the journal keep it;
 * `run/attempt.ts` then asks the owner's rules (`run/gate.ts`, `policy/`), waits for a slot
 * (`run/slots.ts`), tells the hub (`run/reporter.ts`), reads the input (`run/input.ts`), executes
 * it in a runtime (`run/runtime.ts`: `sandbox/`, `container/`), and ends it (`run/ending.ts`).
 * @module
 */
import { join } from "node:path";
import { createLife, type ServiceLife } from "../../shared/service/life.ts";
import type { Logger } from "../../shared/service/log.ts";
import { orAbort } from "../../shared/service/or_abort.ts";
import { openTracer, tracesUrl } from "../../shared/tracing/open_tracer.ts";
import { VERSION } from "../../shared/version.ts";
import type { NodeConfig } from "./config/config.ts";
import { sayPersons } from "./check/persons.ts";
import { shareConfig } from "./data/share.ts";
import { createTables, removeUnfinished } from "./data/tables.ts";
import { readableFormats } from "./encryption/formats.ts";
import { checkEncryption, setUpPayloads } from "./encryption/setup.ts";
import { tellAlgorithms } from "./hub/algorithms.ts";
import { type Broker, connectBroker } from "./hub/broker.ts";
import { openKnownHub } from "./hub/known_hub.ts";
import { createHub, type Hub, type NodeIdentity } from "./hub/hub.ts";
import { reportMetrics } from "./hub/metrics.ts";
import { createWayOut, type WayOut } from "./hub/way_out.ts";
import { createMoveWatch } from "./hub/moved.ts";
import { servePage } from "./page/serve.ts";
import { type AgentState, writeStatus } from "./record/agent_status.ts";
import { AUDIT_FILE, type AuditLog, openAuditLog } from "./record/audit_log.ts";
import { witnessHub } from "./record/hub_witness.ts";
import { type Journal, openJournal } from "./record/journal.ts";
import { whyNotThisDispatch } from "./run/addressed.ts";
import { removeDrafts } from "./run/algorithm_store.ts";
import { takeWork } from "./run/intake.ts";
import { Interruption } from "./run/interruption.ts";
import { createOffered } from "./run/offered.ts";
import { openRuns } from "./run/open_runs.ts";
import { openRecordWatch, type RecordWatch } from "./witness/open.ts";
import { createSandbox, type Sandbox, type SandboxOptions } from "./sandbox/sandbox.ts";

/** How long a stopping agent tries to tell the hub what it could not finish. */
const LAST_WORDS_MS = 3000;

export interface Agent {
  readonly identity: NodeIdentity;
  /**
   * Takes no more work, reports what can be reported soon, lets go of everything. What runs in the
   * sandbox ends; containers go on, unless the agent was started with `killRuns`.
   */
  stop(): Promise<void>;
}

export interface StartAgentOptions {
  config: NodeConfig;
  log: Logger;
  /** Gives up starting. */
  signal: AbortSignal;
  /**
   * Told about an error after which an agent that had started cannot go on: it should be stopped.
   */
  onFailure: (error: unknown) => void;
  /** Makes what runs the algorithms named `deno:…`; the sandbox unless given. */
  openSandbox?: (options: SandboxOptions) => Promise<Sandbox>;
  /** Whether what runs in containers ends when this agent is stopped, too. */
  killRuns?: boolean;
}

/**
 * Starts the agent: resolves when it takes work, however long hub and broker take to answer.
 * Rejects when it can never work: a key that the hub does not know, encryption that does not fit, a
 * folder in use.
 */
export async function startAgent(
  { config, log, signal, onFailure, openSandbox = createSandbox, killRuns = false }:
    StartAgentOptions,
): Promise<Agent> {
  const failed = new AbortController();
  let started = false;
  function fail(error: unknown) {
    if (failed.signal.aborted) return;
    failed.abort(error);
    if (started) onFailure(error);
  }
  const life = createLife(log);
  const starting = AbortSignal.any([signal, failed.signal]);
  try {
    const identity = await start(life, { config, starting, fail, openSandbox, killRuns });
    failed.signal.throwIfAborted();
    started = true;
    return { identity, stop: life.stop };
  } catch (error) {
    await life.stop();
    throw error;
  }
}

interface StartOptions
  extends Required<Pick<StartAgentOptions, "config" | "openSandbox" | "killRuns">> {
  /** Gives up starting. */
  starting: AbortSignal;
  /** Takes an error after which the agent cannot go on. */
  fail: (error: unknown) => void;
}

const AT_FIRST: AgentState = {
  node: undefined,
  waitsFor: "the hub",
  trouble: null,
  contact: undefined,
  record: undefined,
};

async function start(
  life: ServiceLife,
  { config, starting, fail, openSandbox, killRuns }: StartOptions,
): Promise<NodeIdentity> {
  const since = performance.now();
  const { log } = life;
  const { dataFolder: folder, traces } = config;
  const settings = traces === undefined ? undefined : { url: tracesUrl(traces), ratio: 1 };
  const tracer = await openTracer(life, "node", settings);
  // First, because it locks the folder.
  const journal = await openJournal(folder, { log });
  life.onStop("journal", journal.close);
  const { tell, onAudit } = await openStatus(life, { config, journal });

  const tablesFolder = join(folder, "tables");
  await removeUnfinished(tablesFolder)
    .then(() => removeDrafts(join(folder, "algorithms")))
    .catch((error) => log.warn("Cannot remove what an earlier agent has left", { error }));
  const wayOut = createWayOut(config.wayOut);
  life.onStop("ways out", wayOut.close);
  const { hub, identity, audit, broker } = await reachHub(life, {
    config,
    wayOut,
    starting,
    fail,
    tell,
    onAudit,
  });
  const nodeId = identity.id;
  const stopping = new AbortController();
  const silenced = new AbortController();
  const signal = silenced.signal;
  const { payloads, organization } = await setUpPayloads({
    config,
    identity,
    hub,
    audit,
    log,
    starting,
    signal,
  });
  const watching = { hub, keys: broker.hubKeys, folder, audit, log, signal: stopping.signal };
  const record = await openRecordWatch({ ...watching, identity, organization });
  tell({ record: record.status });
  const tables = createTables({
    folder: tablesFolder,
    namesMayLeave: config.shareColumns,
    timeoutSeconds: config.readTimeoutSeconds,
  });
  const { attempts, reporter, sandbox } = await openRuns(life, {
    config,
    identity,
    hub,
    broker,
    journal,
    audit,
    payloads,
    tables,
    wayOut,
    silenced: silenced.signal,
    onFailure(error) {
      if (!stopping.signal.aborted) fail(error);
    },
    openSandbox,
    tracer,
  });

  const ready = Promise.withResolvers<void>();
  const about = { hub, nodeId, log, signal: stopping.signal };
  const suspectMove = createMoveWatch({ hub, identity, fail, signal: stopping.signal });
  const intake = takeWork({
    nodeId,
    broker,
    journal,
    reporter,
    attempts,
    log,
    whyNot(dispatch) {
      if (dispatch.collaboration_id !== identity.collaboration.id) suspectMove();
      return whyNotThisDispatch(dispatch, identity, Date.now());
    },
    audit,
    onCheckpoints: record.hear,
    onReady() {
      ready.resolve();
      void shareConfig(config, { ...about, tables });
      void sayPersons(config, { ...about, tables });
    },
    signal: stopping.signal,
  }).catch(fail);
  life.onStop("work", async () => {
    stopping.abort(new Error("stopping"));
    const silence = setTimeout(() => silenced.abort(new Error("stopping")), LAST_WORDS_MS);
    const kind = killRuns ? "stopping" : "handed over";
    await attempts.interruptAll(new Interruption(kind, "the node's agent was stopped"));
    clearTimeout(silence);
    silenced.abort(new Error("stopped"));
    await intake;
  });
  await orAbort(ready.promise, starting);
  tell({ waitsFor: undefined });
  tellOfNode(life, { ...about, config, journal, audit, sandbox, wayOut, stopping, since, record });
  return identity;
}

/** Says how the agent is: in a file, and on the owner's page. */
async function openStatus(
  life: ServiceLife,
  { config, journal }: { config: NodeConfig; journal: Journal },
): Promise<{ tell: (news: Partial<AgentState>) => void; onAudit: (audit: AuditLog) => void }> {
  const state: AgentState = { ...AT_FIRST };
  const status = writeStatus({ folder: config.dataFolder, journal, state });
  life.onStop("status", status.close);
  function tell(news: Partial<AgentState>) {
    // An agent without a network hears the same several times a second.
    const isOld = news.trouble != null && news.trouble.reason === state.trouble?.reason;
    Object.assign(state, news);
    if (!isOld) status.rewrite();
  }
  const { promise: audit, resolve: onAudit } = Promise.withResolvers<AuditLog>();
  tell({ page: await servePage(life, { config, journal, status: status.current, audit }) });
  return { tell, onAudit };
}

/**
 * Logs in and connects, however long that takes. Rejects when the hub will never have this node.
 */
async function reachHub(
  life: ServiceLife,
  { config, wayOut, starting, fail, tell, onAudit }:
    & Pick<StartOptions, "config" | "starting" | "fail">
    & {
      wayOut: WayOut;
      tell: (news: Partial<AgentState>) => void;
      onAudit: (audit: AuditLog) => void;
    },
): Promise<{ hub: Hub; identity: NodeIdentity; audit: AuditLog; broker: Broker }> {
  const { log } = life;
  const { api, apiKey } = config;
  const payloadFormats = readableFormats(config);
  function onTrouble(reason: string) {
    tell({ trouble: { reason, at: new Date().toISOString() } });
  }
  const hub = createHub({ api, apiKey, payloadFormats, wayOut, log, onTrouble });
  const identity = await hub.whoAmI(starting);
  checkEncryption(config.encryption, identity.collaboration);
  const nodeId = identity.id;
  log.info("Logged in", { node_id: nodeId, node: identity.name });
  tell({ node: identity, waitsFor: "the broker" });
  const audit = await openAudit(life, { folder: config.dataFolder, nodeId });
  onAudit(audit);
  const known = await openKnownHub({ folder: config.dataFolder, audit, log });
  const ways = { hub, known, wayOut, onTrouble };
  const options = { ...ways, nodeId, log, signal: starting, onRefused: fail };
  const broker = await connectBroker(options);
  life.onStop("broker", broker.close);
  tell({ waitsFor: "the hub's welcome", contact: () => broker.connection.flush() });
  return { hub, identity, audit, broker };
}

/** Notes the hub's seals, and tells the hub what the owner lets the node tell of itself. */
function tellOfNode(
  life: ServiceLife,
  { config, journal, audit, sandbox, wayOut, stopping, since, record, ...about }: {
    hub: Hub;
    nodeId: number;
    config: NodeConfig;
    journal: Journal;
    audit: AuditLog;
    sandbox: Pick<Sandbox, "start">;
    wayOut: WayOut;
    stopping: AbortController;
    log: Logger;
    signal: AbortSignal;
    record: RecordWatch;
    /** When the agent started, as `performance.now()` tells time. */
    since: number;
  },
): void {
  const { dataFolder: folder, metricsEverySeconds: everySeconds, maxRuns } = config;
  const offered = createOffered({ ...about, config, sandbox, wayOut });
  const nothing = () => Promise.resolve([]);
  const telling = [
    witnessHub({ ...about, folder, audit, first: record.look }),
    tellAlgorithms({ ...about, offered: config.shareConfig ? offered : nothing }),
  ];
  life.onStop("telling", async () => {
    stopping.abort(new Error("stopping"));
    await Promise.all(telling);
  });
  if (everySeconds !== undefined) {
    void reportMetrics({
      ...about,
      everySeconds,
      folder,
      journal,
      maxRuns,
      since,
      alarms: record.alarms,
    });
  }
}

/** The audit log, which says when the agent started and, unless it dies, when it stopped. */
async function openAudit(
  life: ServiceLife,
  { folder, nodeId }: { folder: string; nodeId: number },
): Promise<AuditLog> {
  const audit = await openAuditLog(join(folder, AUDIT_FILE));
  life.onStop("audit log", async () => {
    await audit.record("agent stopped").catch(() => {});
    await audit.close();
  });
  await audit.record("agent started", { node_id: nodeId, version: VERSION });
  return audit;
}
