/**
 * What carries out work, put together: rules, inputs, both runtimes, slots and reports.
 * @module
 */
import type { ServiceLife } from "../../../shared/service/life.ts";
import type { NodeConfig } from "../config/config.ts";
import type { Tables } from "../data/tables.ts";
import { openHeld } from "../disclosure/held.ts";
import type { Payloads } from "../encryption/payloads.ts";
import type { Broker } from "../hub/broker.ts";
import type { Hub, NodeIdentity } from "../hub/hub.ts";
import type { WayOut } from "../hub/way_out.ts";
import { type AuditLog, auditOfAttempt } from "../record/audit_log.ts";
import { openKnownNames } from "../policy/known_names.ts";
import type { Journal } from "../record/journal.ts";
import type { Sandbox, SandboxOptions } from "../sandbox/sandbox.ts";
import { type Tracer, within } from "../../../shared/tracing/tracer.ts";
import { carryOut } from "./attempt.ts";
import { type Attempts, createAttempts } from "./attempts.ts";
import { createGate } from "./gate.ts";
import { openInputs } from "./input.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import { openRuntimes } from "./runtimes.ts";
import { createSlots } from "./slots.ts";
import { createStoreApproval } from "./store_approval.ts";
import { createStoreCatalogue } from "./store_catalogue.ts";
import { createWaitingPlaces } from "./waiting_places.ts";

export interface OpenRunsOptions {
  config: NodeConfig;
  identity: NodeIdentity;
  hub: Hub;
  broker: Broker;
  journal: Journal;
  audit: AuditLog;
  payloads: Payloads;
  tables: Tables;
  wayOut: WayOut;
  /** Ends all attempts to report. */
  silenced: AbortSignal;
  /** Told about an error after which the agent cannot go on. */
  onFailure: (error: unknown) => void;
  openSandbox: (options: SandboxOptions) => Promise<Sandbox>;
  tracer: Tracer;
}

export interface Runs {
  attempts: Attempts;
  reporter: Reporter;
  sandbox: Pick<Sandbox, "start">;
}

/** Opens the runtimes, and all that brings an attempt from its dispatch to its report. */
export async function openRuns(life: ServiceLife, options: OpenRunsOptions): Promise<Runs> {
  const { config, identity, hub, broker, journal, audit, payloads, silenced, onFailure, tracer } =
    options;
  const { log } = life;
  const { dataFolder: folder, policy, serverForStores: serverUrl } = config;
  const catalogue = createStoreCatalogue({ hub, serverUrl, fetch: options.wayOut.fetch });
  const gate = createGate({
    policy,
    hub,
    names: await openKnownNames({ folder, policy, audit, log }),
    approval: createStoreApproval({ catalogue, serverUrl, log }),
    onDecision(dispatch, decision) {
      const note = auditOfAttempt(audit, dispatch);
      // On the disk before the run starts or the refusal is reported, because records keep their
      // order.
      void (decision.allowed ? note("allowed") : note("refused", { reason: decision.reason }));
    },
  });
  const inputs = await openInputs({
    folder,
    hub,
    isThere: () => broker.connection.connected,
    payloads,
    gate: gate.call,
  });
  const { agentId } = journal;
  const reporter = createReporter({
    broker,
    hub,
    agentId,
    nodeId: identity.id,
    log,
    tracer,
    signal: silenced,
  });
  const runtimes = await openRuntimes({ ...options, receiveInput: inputs.receive, log });
  life.onStop("runtimes", runtimes.close);
  const held = await openHeld({ dataFolder: folder, journal, log });
  life.onStop("held results", () => Promise.resolve(held.close()));
  const slots = createSlots(config.maxRuns);
  const places = createWaitingPlaces(config.maxWaitingRuns);
  const attempts = createAttempts({
    journal,
    async carryOut(entry, signal) {
      const { dispatch } = entry;
      const { task_id, result_id, attempt, image } = dispatch;
      const tools = {
        admit: gate.admit,
        audit,
        dataFolder: folder,
        shareLogs: config.shareLogs,
        journal,
        reporter,
        held,
        slots,
        places,
        runtime: runtimes.runtimeOf(image),
        sealOf: payloads.seal,
        log: log.with({ task_id, result_id, attempt }),
        tracer,
      };
      const { run_id, traceparent: parent } = dispatch;
      const ids = { node_id: identity.id, task_id, run_id, result_id, attempt };
      try {
        // Where the owner keeps no traces, what is reported still names the hub's.
        await within(
          parent,
          () => tracer.span("node", { attributes: ids }, () => carryOut(entry, tools, signal)),
        );
      } finally {
        await inputs.forget(dispatch);
      }
    },
    onFailure,
  });
  return { attempts, reporter, sandbox: runtimes.sandbox };
}
