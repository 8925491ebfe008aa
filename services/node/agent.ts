/**
 * The node agent: the hub's hand at a data station.
 *
 * It talks to the hub over one outbound connection to the broker, and over HTTP for its token and for large payloads. It
 * survives the loss of either, restarts of everything around it, and its own death at any moment: what it has
 * promised is in its journal.
 * @module
 */
import { join } from "node:path";
import type { Logger } from "../../shared/service/log.ts";
import { orAbort } from "../../shared/service/or_abort.ts";
import { VERSION } from "../../shared/version.ts";
import type { NodeConfig } from "./config/config.ts";
import { shareConfig } from "./data/share.ts";
import { createTables } from "./data/tables.ts";
import { readableFormats } from "./encryption/formats.ts";
import type { Payloads } from "./encryption/payloads.ts";
import { checkEncryption, setUpPayloads } from "./encryption/setup.ts";
import { writeStatus } from "./record/agent_status.ts";
import { connectBroker } from "./hub/broker.ts";
import type { Dispatch } from "../../shared/node_protocol/dispatch.ts";
import { createHub, type NodeIdentity } from "./hub/hub.ts";
import { reportMetrics } from "./hub/metrics.ts";
import { AUDIT_FILE, type AuditLog, digestOf, openAuditLog } from "./record/audit_log.ts";
import { witnessHub } from "./record/hub_witness.ts";
import { openJournal } from "./record/journal.ts";
import { carryOut, Interruption } from "./run/attempt.ts";
import { createAttempts } from "./run/attempts.ts";
import { createGate } from "./run/gate.ts";
import { openInputs } from "./run/input.ts";
import { takeWork } from "./run/intake.ts";
import { createReporter } from "./run/reporter.ts";
import { openRuntimes } from "./run/runtimes.ts";
import { createSlots } from "./run/slots.ts";
import { createSandbox, type Sandbox, type SandboxOptions } from "./sandbox/sandbox.ts";

/** How long a stopping agent tries to tell the hub what it could not finish. */
const LAST_WORDS_MS = 3000;

export interface Agent {
  readonly identity: NodeIdentity;
  /** Takes no more work, ends what runs, reports what can be reported soon, lets go of everything. */
  stop(): Promise<void>;
}

export interface StartAgentOptions {
  config: NodeConfig;
  log: Logger;
  /** Gives up starting. */
  signal: AbortSignal;
  /** Told about an error after which an agent that had started cannot go on: it should be stopped. */
  onFailure: (error: unknown) => void;
  /** Makes what runs the algorithms named `deno:…`; the sandbox unless given. */
  openSandbox?: (options: SandboxOptions) => Promise<Sandbox>;
}

/**
 * Starts the agent: resolves when it takes work, however long hub and broker take to answer.
 * Rejects when it can never work: a key that the hub does not know, encryption that does not fit, a folder in use.
 */
export async function startAgent(
  { config, log, signal, onFailure, openSandbox = createSandbox }: StartAgentOptions,
): Promise<Agent> {
  const since = performance.now();
  const failed = new AbortController();
  let started = false;
  function fail(error: unknown) {
    if (failed.signal.aborted) return;
    failed.abort(error);
    if (started) onFailure(error);
  }
  const starting = AbortSignal.any([signal, failed.signal]);

  const journal = await openJournal(config.dataFolder, { log });
  const ends: (() => Promise<void>)[] = [() => journal.close()];
  async function endAll() {
    const problems: unknown[] = [];
    // One that fails must not keep the others: the last ends the hold of the folder.
    for (const end of ends.splice(0).reverse()) await end().catch((error) => problems.push(error));
    if (problems.length > 0) throw problems[0];
  }
  try {
    const payloadFormats = readableFormats(config.encryption);
    const hub = createHub({ api: config.api, apiKey: config.apiKey, payloadFormats, log });
    const identity = await hub.whoAmI(starting);
    checkEncryption(config.encryption, identity.collaboration);
    log.info("Logged in", { node_id: identity.id, node: identity.name });

    const nodeId = identity.id;
    const broker = await connectBroker({
      hub,
      nodeId,
      log,
      signal: starting,
      onRefused: fail,
    });
    ends.push(() => broker.close());

    const stopping = new AbortController();
    const silenced = new AbortController();
    const { dataFolder } = config;
    const audit = await openAuditLog(join(dataFolder, AUDIT_FILE));
    ends.push(async () => {
      await audit.record("agent stopped").catch(() => {});
      await audit.close();
    });
    await audit.record("agent started", { node_id: nodeId, version: VERSION });
    const readable = await setUpPayloads({
      config,
      identity,
      hub,
      log,
      starting,
      signal: silenced.signal,
    });
    const payloads = recordInputs(readable, audit);
    const gate = createGate({
      policy: config.policy,
      hub,
      onDecision({ task_id, result_id, attempt }, decision) {
        const details = decision.allowed ? {} : { reason: decision.reason };
        const event = decision.allowed ? "allowed" : "refused";
        // On the disk before the run starts or the refusal is reported, because records keep their order.
        void audit.record(event, { task_id, result_id, attempt, ...details });
      },
    });
    const inputs = await openInputs({ folder: dataFolder, hub, payloads, gate: gate.call });
    const reporter = createReporter({
      broker,
      hub,
      agentId: journal.agentId,
      nodeId,
      log,
      signal: silenced.signal,
    });
    const tables = createTables({
      folder: join(dataFolder, "tables"),
      namesMayLeave: config.shareColumns,
    });
    const runtimes = await openRuntimes({
      config,
      tables,
      nodeId,
      hub,
      broker,
      journal,
      audit,
      payloads,
      receiveInput: inputs.receive,
      log,
      openSandbox,
    });
    ends.push(() => runtimes.close());
    const slots = createSlots(config.maxRuns);
    const attempts = createAttempts({
      journal,
      carryOut: (entry, signal) => {
        const { task_id, result_id, attempt } = entry.dispatch;
        const tools = {
          admit: gate.admit,
          audit,
          shareLogs: config.shareLogs,
          journal,
          reporter,
          slots,
          runtime: runtimes.runtimeOf(entry.dispatch.image),
          sealOf: ({ init_org_id, parent_id }: Dispatch) =>
            payloads.seal(init_org_id, parent_id === null ? "program" : "node"),
          log: log.with({ task_id, result_id, attempt }),
        };
        return carryOut(entry, tools, signal).finally(() => inputs.forget(entry.dispatch));
      },
      onFailure: (error) => {
        if (!stopping.signal.aborted) fail(error);
      },
    });
    const ready = Promise.withResolvers<void>();
    const intake = takeWork({
      nodeId,
      broker,
      journal,
      reporter,
      attempts,
      log,
      onReady() {
        ready.resolve();
        const signal = stopping.signal;
        void shareConfig(config, { hub, nodeId, tables, log, signal });
      },
      signal: stopping.signal,
    }).catch(fail);
    ends.push(async () => {
      stopping.abort(new Error("stopping"));
      const silence = setTimeout(() => silenced.abort(new Error("stopping")), LAST_WORDS_MS);
      await attempts.interruptAll(new Interruption("stopping", "the node's agent was stopped"));
      clearTimeout(silence);
      silenced.abort(new Error("stopped"));
      await intake;
    });
    await orAbort(ready.promise, starting);
    const status = writeStatus({
      folder: dataFolder,
      journal,
      node: identity,
      contact: () => broker.connection.flush(),
    });
    ends.push(() => status.close());
    const witness = witnessHub({ hub, folder: dataFolder, audit, log, signal: stopping.signal });
    ends.push(() => (stopping.abort(new Error("stopping")), witness));
    if (config.metricsEverySeconds !== undefined) {
      void reportMetrics({
        everySeconds: config.metricsEverySeconds,
        folder: dataFolder,
        journal,
        maxRuns: config.maxRuns,
        since,
        hub,
        nodeId,
        log,
        signal: stopping.signal,
      });
    }
    started = true;
    return { identity, stop: endAll };
  } catch (error) {
    await endAll();
    throw error;
  }
}

/** Puts into the audit log what is written for the nodes of other organizations, before it leaves. */
function recordInputs(payloads: Payloads, audit: AuditLog): Payloads {
  return {
    ...payloads,
    async encode(content, organizationId) {
      const stored = await payloads.encode(content, organizationId);
      await audit.record("subtask input leaves", {
        organization_id: organizationId,
        bytes: stored.length,
        sha256: digestOf(stored),
      });
      return stored;
    },
  };
}
