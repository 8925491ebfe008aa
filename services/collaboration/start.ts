/**
 * Starts collaboration with everything it needs; what collaboration is stands in `app.ts`.
 * @module
 */
import { connectService, connectSystem } from "../../shared/broker/service_connection.ts";
import { openHubService } from "../../shared/service/hub_service.ts";
import type { ServiceLife } from "../../shared/service/life.ts";
import { noTracer, type Tracer } from "../../shared/tracing/tracer.ts";
import { forgetOldKeys } from "../../shared/storage/idempotency.ts";
import { createCollaborationApp } from "./app.ts";
import type { CollaborationDeps } from "./deps.ts";
import { collaborationAnswers } from "./answers.ts";
import { forgetLostOrganizations, HEARD, hearEvent } from "./reactions.ts";
import { connectionsOf } from "./presence/broker_connections.ts";
import { type PresenceOptions, watchPresence } from "./presence/watch.ts";

export interface CollaborationOptions {
  databaseUrl: string;
  natsUrl: string;
  /** Path of the file with which the service gets its credential from identity. */
  enrolmentFile: string;
  /** This server's address, as algorithm stores are to know it. */
  serverUrl?: string | undefined;
  /** How long presence waits for what. */
  presence?: Pick<PresenceOptions, "graceMs" | "settleMs" | "compareEveryMs" | "listEveryMs">;
  tracer?: Tracer;
  now?: () => Date;
}

export interface Collaboration {
  deps: CollaborationDeps;
  app: ReturnType<typeof createCollaborationApp>;
}

const SWEEP_MS = 600_000;

export async function startCollaboration(
  life: ServiceLife,
  {
    databaseUrl,
    natsUrl,
    enrolmentFile,
    serverUrl,
    presence,
    tracer = noTracer,
    now = () => new Date(),
  }: CollaborationOptions,
): Promise<Collaboration> {
  const { log } = life;
  const service = "collaboration";
  const hub = await openHubService(life, {
    service,
    databaseUrl,
    schema: new URL("./schema/", import.meta.url),
    connect: () => connectService({ service, url: natsUrl, enrolmentFile, log }),
    tracer,
  });
  const { db, outbox, ask, nc } = hub;
  const system = await connectSystem({ service, url: natsUrl, main: nc, log });
  life.onStop("system account", system.close);
  const issuers = await ask("identity", "node_issuers", {});
  const deps = {
    db,
    outbox,
    ask,
    log,
    serverUrl,
    connectionsOfNode: (nodeId: number) => connectionsOf(nodeId, { system: system.nc, issuers }),
  };

  hub.every(SWEEP_MS, "forget old keys", () => forgetOldKeys(db));
  hub.hear({
    subject: HEARD,
    handle: (event) => hearEvent(event, deps),
    catchUp: () => forgetLostOrganizations(deps),
  });
  const watching = watchPresence({ ...deps, ...presence, system: system.nc, issuers, now });
  life.onStop("presence", watching.stop);
  const app = createCollaborationApp(deps);
  hub.serve({ answers: collaborationAnswers(deps), fetch: app.fetch });
  return { deps, app };
}
