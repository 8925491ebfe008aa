/**
 * Starts task with everything it needs; what task is stands in `app.ts`.
 * @module
 */
import { newHeaders } from "../../shared/broker/connection.ts";
import { connectService } from "../../shared/broker/service_connection.ts";
import { subjects } from "../../shared/broker/subjects.ts";
import { subscribeEvents } from "../../shared/messages/events.ts";
import { signAsHub } from "../../shared/node_protocol/hub_signature.ts";
import { openHubService } from "../../shared/service/hub_service.ts";
import type { ServiceLife } from "../../shared/service/life.ts";
import { taskAnswers } from "./answers.ts";
import { createTaskApp } from "./app.ts";
import type { TaskDeps, TaskSettings } from "./deps.ts";
import { createKills } from "./dispatch/kills.ts";
import { createDispatchStreams, type DispatchStreams } from "./dispatch/streams.ts";
import { createReactions, hearEvent } from "./reactions.ts";
import { serveReports } from "./reports/desk.ts";
import { createLogs } from "./reports/logs.ts";
import { createOneAgent } from "./reports/one_agent.ts";
import { createReports } from "./reports/reports.ts";
import { createTaskWatch } from "./task_watch.ts";
import { createReconciler, type Reconciler } from "./upkeep/reconciler.ts";
import type { Retention } from "./upkeep/tidy.ts";

export interface TaskOptions {
  databaseUrl: string;
  natsUrl: string;
  /** Path of the file with which the service gets its credential from identity. */
  enrolmentFile: string;
  /** The seed that signs what is dispatched. */
  dispatchKey: string;
  settings: TaskSettings;
  /** What is kept of completed results, and for how long; without it all is kept. */
  retention?: Retention;
  /** How often is looked for what is lost, late or old. */
  reconcileEveryMs?: number;
  now?: () => Date;
}

export interface Task {
  deps: TaskDeps;
  app: ReturnType<typeof createTaskApp>;
  streams: DispatchStreams;
  reconciler: Reconciler;
}

export async function startTask(
  life: ServiceLife,
  {
    databaseUrl,
    natsUrl,
    enrolmentFile,
    dispatchKey,
    settings,
    retention = { days: undefined, includeInput: false },
    reconcileEveryMs,
    now = () => new Date(),
  }: TaskOptions,
): Promise<Task> {
  const { log } = life;
  const hub = await openHubService(life, {
    service: "task",
    databaseUrl,
    schema: new URL("./schema/", import.meta.url),
    connect: () => connectService({ service: "task", url: natsUrl, enrolmentFile, log }),
    sign(subject, payload, headers) {
      if (!subject.startsWith("dispatch.")) return;
      signAsHub(headers, dispatchKey, { subject, payload });
    },
  });
  const { db, outbox, ask, nc } = hub;
  const streams = createDispatchStreams(() => nc.jetstreamManager());
  await streams.ensureStream();

  function publishSigned(subject: string, payload: Uint8Array) {
    const headers = newHeaders();
    signAsHub(headers, dispatchKey, { subject, payload });
    nc.publish(subject, payload, { headers });
  }
  const kills = createKills({ db, log, now, publish: publishSigned });
  const reports = createReports({ db, outbox, streams, kills, log, now });
  const watch = createTaskWatch();
  const deps = { db, outbox, ask, reports, kills, watch, settings, now, log };

  const events = subscribeEvents(nc, (event) => hearEvent(event, { watch, streams }), {
    log,
    onGap: () => watch.wakeAll(),
  });
  life.onStop("heard events", events.stop);
  hub.hear({ subject: "event.*.deleted", ...createReactions(deps, streams) });
  const issuers = await ask("identity", "node_issuers", {});
  const oneAgent = createOneAgent({
    db,
    ask,
    log,
    now,
    tell(nodeId, notice) {
      publishSigned(subjects.kill(nodeId), new TextEncoder().encode(JSON.stringify(notice)));
    },
  });
  const logs = createLogs(outbox);
  const desk = serveReports({ nc, reports, oneAgent, logs, issuers, log });
  life.onStop("reports", desk.stop);
  const reconciler = createReconciler({
    db,
    outbox,
    streams,
    kills,
    retention,
    log,
    now,
    ...(reconcileEveryMs === undefined ? {} : { everyMs: reconcileEveryMs }),
  });
  life.onStop("reconciler", reconciler.stop);
  const app = createTaskApp(deps);
  hub.serve({ answers: taskAnswers(deps), fetch: app.fetch });
  life.onStop("held requests", watch.close);
  return { deps, app, streams, reconciler };
}
