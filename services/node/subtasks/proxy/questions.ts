/**
 * Questions of a container that are passed on to the hub as they are.
 * @module
 */
import { Hono } from "hono";
import { z } from "zod";
import { MOST_BYTES, type Subtasks } from "../subtasks.ts";
import type { Attributions } from "./attributions.ts";
import { type ProxyEnv, withinBounds } from "./turns.ts";

const PASSED_ON = [
  "/organization/:id{[0-9]+}",
  "/collaboration/:id{[0-9]+}",
  "/study/:id{[0-9]+}",
  "/run/:id{[0-9]+}",
  "/vpn/algorithm/addresses",
];
const LISTS = ["/organization", "/study", "/run"];

/** What the hub may take over a list of all there is. */
export const LIST_MS = 600_000;

const listSchema = z.looseObject({ data: z.array(z.unknown()) });

export function createQuestionRoutes(
  subtasks: Pick<Subtasks, "get">,
  attributions: Pick<Attributions, "look">,
): Hono<ProxyEnv> {
  const routes = new Hono<ProxyEnv>();
  for (const path of PASSED_ON) {
    routes.get(path, async (c) => {
      const ask = (maxBytes?: number) =>
        subtasks.get(hubPathOf(c.req.url), z.unknown(), { ...maxBytes ? { maxBytes } : {} });
      const answer = await (path.startsWith("/run/") ? withinBounds(c, ask) : ask());
      if (path.startsWith("/run/")) attributions.look(answer);
      return c.json(answer);
    });
  }
  for (const path of LISTS) {
    routes.get(path, async (c) => {
      const ask = (maxBytes?: number) => getList(subtasks, c.req.url, maxBytes);
      const answer = await (path === "/run" ? withinBounds(c, ask) : ask());
      if (path === "/run") attributions.look(answer);
      return c.json(answer);
    });
  }
  return routes;
}

/** The path and query of a question for the hub, without pages: the hub gives everything then. */
export function hubPathOf(url: string): string {
  const { pathname, searchParams } = new URL(url);
  for (const name of ["page", "per_page"]) searchParams.delete(name);
  return searchParams.size ? `${pathname}?${searchParams}` : pathname;
}

/** A list in one page. */
export async function getList(
  subtasks: Pick<Subtasks, "get">,
  url: string,
  maxBytes: number = MOST_BYTES,
) {
  const list = await subtasks.get(hubPathOf(url), listSchema, { timeoutMs: LIST_MS, maxBytes });
  return { ...list, links: {} };
}
