/**
 * What the owner's page can ask of the agent: all of it stands here.
 * @module
 */
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { PageFolder } from "../../page/build/page_folder.ts";
import { PAGE_POLICY } from "../../page/build/policy.ts";
import type { NodeConfig } from "../config/config.ts";
import { AUDIT_FILE } from "../record/audit_log.ts";
import { readAuditPage, verifyWhole } from "./answers/audit.ts";
import type { DatabaseLook } from "./answers/databases.ts";
import { decideOnHeld, listHeldResults, showHeldResult } from "./answers/held.ts";
import { readHistory } from "./answers/history.ts";
import { type OverviewOptions, tellOverview } from "./answers/overview.ts";
import { tellRules } from "./answers/rules.ts";
import * as say from "./contract.ts";
import type { Doors } from "./doors.ts";
import { Refusal } from "./refusal.ts";

/** Nothing asked here is larger. */
const MOST_BYTES = 16 * 1024;

export interface AppOptions extends Omit<OverviewOptions, "config"> {
  config: NodeConfig;
  doors: Doors;
  /** Puts the page together, where that was not done yet. */
  compiled: () => Promise<void>;
  page: PageFolder;
  look: DatabaseLook;
  /** Uses up a link; false for one that does not let in. */
  takeLink: (key: string) => Promise<boolean>;
  log: Logger;
}

export function createApp(
  { doors, compiled, page, look, takeLink, log, ...about }: AppOptions,
): Hono {
  const { config } = about;
  const { dataFolder } = config;
  const auditPath = join(dataFolder, AUDIT_FILE);
  const app = new Hono();

  app.use(async function guard(c, next) {
    c.header("x-content-type-options", "nosniff");
    c.header("referrer-policy", "no-referrer");
    c.header("cross-origin-opener-policy", "same-origin");
    c.header("cross-origin-resource-policy", "same-origin");
    c.header("content-security-policy", PAGE_POLICY);
    // Also of what the page consists of: another account that listens here while the agent does not
    // run would leave its own in the browser's cache.
    c.header("cache-control", "no-store");
    await next();
  });
  app.use(doors.ownName);

  app.get("/", async function getPage(c) {
    await compiled();
    return c.html(await page.document());
  });
  app.get("/assets/:name", async function getAsset(c) {
    await compiled();
    const file = await page.asset(c.req.param("name"), "");
    if (!file) throw new Refusal(404, "There is no such file.");
    c.header("content-type", file.type);
    return c.body(file.content);
  });

  const api = new Hono();
  api.use(doors.ownPage);
  api.use(bodyLimit({ maxSize: MOST_BYTES }));
  api.post("/enter", async function enter(c) {
    const { key } = await read(c, say.entrance);
    if (!await takeLink(key)) {
      throw new Refusal(403, "This link was used already, or is too old. Make a new one.");
    }
    return c.json({ session: doors.letIn(c) });
  });

  api.use(doors.insideOnly);
  api.post("/leave", function leave(c) {
    doors.letOut(c);
    return c.json({});
  });
  api.get("/overview", (c) => c.json(tellOverview(about)));
  api.get("/history", async function getHistory(c) {
    const { before } = check(say.auditQuery, c.req.query());
    return c.json(await readHistory(auditPath, before).catch(asNothing({ runs: [], next: null })));
  });
  api.get("/held", async (c) => c.json({ held: await listHeldResults(dataFolder) }));
  api.get("/held/:result/:attempt", async function getHeld(c) {
    const { page: number } = check(pageQuery, c.req.query());
    return c.json(await showHeldResult(dataFolder, whichOf(c), number));
  });
  api.post("/held/:result/:attempt", async function decide(c) {
    const decision = await read(c, say.heldDecision);
    return c.json({ note: await decideOnHeld(dataFolder, whichOf(c), decision) });
  });
  api.get("/databases", (c) => c.json(look.tell()));
  api.post("/databases/look", function lookAtDatabases(c) {
    look.look();
    return c.json(look.tell());
  });
  api.get("/rules", async (c) => c.json(await tellRules(config)));
  api.get("/audit", async function getAudit(c) {
    const query = check(say.auditQuery, c.req.query());
    const nothing = { records: [], next: null, searched_to: null };
    return c.json(await readAuditPage(auditPath, query).catch(asNothing(nothing)));
  });
  api.post("/audit/verify", async function verify(c) {
    const { expect } = await read(c, say.verifyRequest);
    return c.json(await verifyWhole(auditPath, expect));
  });
  app.route("/api", api);

  app.notFound((c) => c.json({ msg: "There is nothing here." }, 404));
  app.onError((error, c) => {
    if (error instanceof Refusal) return c.json({ msg: error.message }, error.status);
    log.error("The owner's page failed", { reason: messageOf(error), path: c.req.path });
    return c.json({ msg: "The agent could not do this; its own log says why." }, 500);
  });
  return app;
}

const number = z.coerce.number().int().min(1).max(2 ** 31);
const pageQuery = z.object({ page: number.default(1) });
const which = z.object({ result: number, attempt: number });

function whichOf(c: Context): { result_id: number; attempt: number } {
  const { result, attempt } = check(which, c.req.param());
  return { result_id: result, attempt };
}

async function read<Schema extends z.ZodType>(
  c: Context,
  schema: Schema,
): Promise<z.output<Schema>> {
  return check(schema, await c.req.json().catch(() => undefined));
}

function check<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new Refusal(400, `This cannot be understood: ${z.prettifyError(parsed.error)}`);
}

/** An agent that has not been at the hub yet has no audit log. */
function asNothing<Nothing>(nothing: Nothing): (error: unknown) => Nothing {
  return (error) => {
    if (error instanceof Deno.errors.NotFound) return nothing;
    throw error;
  };
}
