import type { Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import { type AppEnv, noRoute } from "../../../../shared/contract/app.ts";
import { PAGE_POLICY } from "../../../page/build/policy.ts";
import type { PageFolder } from "../../../page/build/page_folder.ts";

/** Of an asset: its name changes with its content. */
const FOR_EVER = "public, max-age=31536000, immutable";

/** The page for people, at `/`: a client of the API like any other. */
export function getPage(app: Hono<AppEnv>, folder: PageFolder): void {
  app.get(
    "/",
    answers(undefined, { type: "text/html", does: "The page for people." }),
    async function getPage(c) {
      c.header("content-security-policy", PAGE_POLICY);
      c.header("cache-control", "no-cache");
      return c.html(await folder.document());
    },
  );

  app.get(
    "/assets/:name",
    answers(undefined, { type: "text/plain", does: "What that page consists of." }),
    async function getPageAsset(c) {
      const accepted = c.req.header("accept-encoding") ?? "";
      const file = await folder.asset(c.req.param("name"), accepted);
      if (!file) throw noRoute(c);
      c.header("content-type", file.type);
      c.header("cache-control", FOR_EVER);
      c.header("vary", "accept-encoding");
      if (file.encoding) c.header("content-encoding", file.encoding);
      return c.body(file.content);
    },
  );
}
