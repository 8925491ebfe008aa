/**
 * Starts task with everything it needs; what task is stands in `app.ts`.
 * @module
 */
import { connectService } from "../../shared/broker/service_connection.ts";
import { subjects } from "../../shared/broker/subjects.ts";
import { subscribeEvents } from "../../shared/messages/events.ts";
import { openHubService } from "../../shared/service/hub_service.ts";
import { createCounts } from "../../shared/service/counts.ts";
import type { ServiceLife } from "../../shared/service/life.ts";
import { createRateLimiter } from "../../shared/service/rate_limiter.ts";
import { noTracer, type Tracer } from "../../shared/tracing/tracer.ts";
import { taskAnswers } from "./answers.ts";
import { createTaskApp } from "./app.ts";
import type { TaskDeps, TaskSettings } from "./deps.ts";
import { CHECKPOINTS_EVERY_MS, createCheckpoints } from "./dispatch/checkpoints.ts";
import { createKills } from "./dispatch/kills.ts";
import { createSignedPublisher } from "./dispatch/publish_signed.ts";
import { deleteOldStream } from "./dispatch/old_stream.ts";
import { createReactions, hearEvent } from "./reactions.ts";
import { serveReports } from "./reports/desk.ts";
import { createLogs } from "./reports/logs.ts";
import { createOneAgent } from "./reports/one_agent.ts";
import { createReports } from "./reports/reports.ts";
import { addRefused } from "./store/refused_count.ts";
import { createTaskWatch } from "./task_watch.ts";
import { createReconciler, type Reconciler } from "./upkeep/reconciler.ts";
import type { Retention } from "./upkeep/tidy.ts";
import { createWakeUps, type WakeUps } from "./upkeep/wake_ups.ts";

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
  tracer?: Tracer;
  now?: () => Date;
}

export interface Task {
  deps: TaskDeps;
  app: ReturnType<typeof createTaskApp>;
  wakeUps: WakeUps;
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
    tracer = noTracer,
    now = () => new Date(),
  }: TaskOptions,
): Promise<Task> {
  const { log } = life;

  const publisher = createSignedPublisher(dispatchKey);
  const hub = await openHubService(life, {
    service: "task",
    databaseUrl,
    schema: new URL("./schema/", import.meta.url),
    connect: () => connectService({ service: "task", url: natsUrl, enrolmentFile, log }),
    send: publisher.publish,
    tracer,
  });
  const { db, outbox, ask, nc } = hub;
  await deleteOldStream(nc, log);

  const publish = (subject: string, payload: Uint8Array) => publisher.publish(nc, subject, payload);
  const issuers = await ask("identity", "node_issuers", {});
  const { appAccountPublic: account } = issuers;
  const checkpoints = createCheckpoints({ db, ask, dispatchKey, account, log });
  publisher.checkpoints = checkpoints;
  const kills = createKills({ db, log, now, publish });
  const wakeUps = createWakeUps({ db, log, now, publish });
  const reports = createReports({ db, outbox, kills, checkpoints, dispatchKey, log, now });
  const watch = createTaskWatch();
  const { subtasksPerMinute } = settings;
  const subtaskRate = createRateLimiter({
    burst: Math.ceil(subtasksPerMinute / 2),
    perMinute: subtasksPerMinute,
    now: () => now().getTime(),
  });
  const deps = {
    db,
    outbox,
    ask,
    reports,
    kills,
    checkpoints,
    dispatchKey,
    wakeUps,
    watch,
    settings,
    subtaskRate,
    now,
    log,
  };

  const events = subscribeEvents(nc, (event) => hearEvent(event, { watch, wakeUps }), {
    log,
    onGap: () => watch.wakeAll(),
  });
  life.onStop("heard events", events.stop);
  hub.hear({ subject: "event.*.deleted", ...createReactions(deps) });
  const oneAgent = createOneAgent({
    db,
    ask,
    log,
    now,
    tell(nodeId, notice) {
      publish(subjects.kill(nodeId), new TextEncoder().encode(JSON.stringify(notice)));
    },
  });
  const counts = createCounts({ keep: (some) => addRefused(db, some), log });
  life.onStop("counts", counts.stop);
  const logs = createLogs(outbox);
  const desk = serveReports({ nc, reports, oneAgent, logs, issuers, counts, tracer, log });
  life.onStop("reports", desk.stop);
  const reconciler = createReconciler({
    db,
    outbox,
    kills,
    wakeUps,
    retention,
    log,
    now,
    ...(reconcileEveryMs === undefined ? {} : { everyMs: reconcileEveryMs }),
  });
  life.onStop("reconciler", reconciler.stop);
  // Not waited for: another service may be starting, too.
  void checkpoints.ask();
  hub.every(CHECKPOINTS_EVERY_MS, "sign checkpoints", checkpoints.ask);
  const app = createTaskApp(deps);
  hub.serve({ answers: taskAnswers(deps), fetch: app.fetch });
  life.onStop("held requests", watch.close);
  return { deps, app, wakeUps, reconciler };
}
