/**
 * The owner's page, served by the agent on this machine alone. Until somebody opens it there is a
 * socket that listens, and nothing else: the program behind it is loaded with the first request.
 * @module
 */
import { join } from "node:path";
import { messageOf } from "../../../shared/service/errors.ts";
import type { ServiceLife } from "../../../shared/service/life.ts";
import type { NodeConfig } from "../config/config.ts";
import { createTables } from "../data/tables.ts";
import type { Status } from "../record/agent_status.ts";
import type { AuditLog } from "../record/audit_log.ts";
import type { Journal } from "../record/journal.ts";
import { LINK_MS, makeLink, openLinks, useLink } from "./links.ts";
import { addressOf, linkTo } from "./address.ts";

const HOST = "127.0.0.1";

export interface ServePageOptions {
  config: NodeConfig;
  journal: Journal;
  status: () => Status;
  /** The audit log, once it is open: the agent is known to the hub then. */
  audit: Promise<AuditLog>;
}

/**
 * Serves the page until `life` ends, where the owner wants it. Never rejects: a node works without
 * its page, and says why it is not there.
 */
export async function servePage(
  life: ServiceLife,
  options: ServePageOptions,
): Promise<NonNullable<Status["page"]>> {
  const { dataFolder, page } = options.config;
  const { log } = life;
  if (!page.enabled) return { address: null, problem: "page.enabled is false" };
  try {
    await openLinks(dataFolder);
    const port = listen(life, options);
    const address = addressOf(port);
    // A log is read by many; who sits at the terminal has started the agent.
    if (Deno.stderr.isTerminal()) {
      const link = linkTo(address, await makeLink(dataFolder));
      log.info("The owner's page; this link lets in once", { link, minutes: LINK_MS / 60_000 });
    } else {
      log.info("The owner's page; deno task node page gives a link that lets in", { address });
    }
    return { address, problem: null };
  } catch (error) {
    const problem = error instanceof Deno.errors.AddrInUse
      ? `port ${page.port} is in use`
      : messageOf(error);
    log.warn("The owner's page is not there", { reason: problem });
    return { address: null, problem };
  }
}

/** Listens; resolves to the port. */
function listen(life: ServiceLife, options: ServePageOptions): number {
  const stopping = new AbortController();
  let app: Promise<(request: Request) => Response | Promise<Response>> | undefined;
  const server = Deno.serve({
    hostname: HOST,
    port: options.config.page.port,
    onListen() {},
    onError(error) {
      life.log.error("The owner's page failed", { reason: messageOf(error) });
      return new Response(null, { status: 500 });
    },
  }, async (request) => {
    app ??= load(life, { ...options, port: server.addr.port, signal: stopping.signal });
    return (await app)(request);
  });
  life.onStop("owner's page", async () => {
    stopping.abort(new Error("stopping"));
    await server.shutdown();
  });
  return server.addr.port;
}

async function load(
  life: ServiceLife,
  { config, journal, status, audit, port, signal }: ServePageOptions & {
    port: number;
    signal: AbortSignal;
  },
): Promise<(request: Request) => Response | Promise<Response>> {
  const [{ createApp }, { createDoors }, { createSessions }, { createCompiler }, look, folder] =
    await Promise.all([
      import("./app.ts"),
      import("./doors.ts"),
      import("./sessions.ts"),
      import("./compile.ts"),
      import("./answers/databases.ts"),
      import("../../page/build/page_folder.ts"),
    ]);
  const { log } = life;
  const { dataFolder } = config;
  const files = join(dataFolder, "page", "files");
  const tables = () =>
    createTables({
      folder: join(dataFolder, "tables"),
      namesMayLeave: config.shareColumns,
      timeoutSeconds: config.readTimeoutSeconds,
    });
  const app = createApp({
    config,
    journal,
    status,
    log,
    doors: createDoors({ port, sessions: createSessions() }),
    compiled: createCompiler({ folder: files, log, signal }),
    page: folder.openPageFolder(files),
    look: look.createDatabaseLook(config, tables),
    async takeLink(key) {
      const letsIn = await useLink(dataFolder, key);
      if (letsIn) {
        log.info("Somebody has opened the owner's page");
        // A log that cannot be written ends the agent where that matters.
        audit.then((open) => open.record("owner's page entered")).catch(() => {});
      } else log.warn("A link to the owner's page that lets nobody in was tried");
      return letsIn;
    },
  });
  return app.fetch;
}
