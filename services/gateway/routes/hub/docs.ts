import type { Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import { type AppEnv, noRoute } from "../../../../shared/contract/app.ts";
import { PAGE_POLICY, pageFile, pageText } from "../../docs/page.ts";

const CACHE_SECONDS = 3600;

export function getDocs(app: Hono<AppEnv>): void {
  app.get(
    "/api/docs",
    answers(undefined, { type: "text/html", does: "The page that shows this description." }),
    async function getDocs(c) {
      c.header("content-security-policy", PAGE_POLICY);
      return c.html(await pageText());
    },
  );

  app.get(
    "/api/docs/:file",
    answers(undefined, { type: "text/plain", does: "What that page consists of." }),
    async function getDocsFile(c) {
      const file = await pageFile(c.req.param("file"));
      if (!file) throw noRoute(c);
      c.header("content-type", file.type);
      c.header("cache-control", `public, max-age=${CACHE_SECONDS}`);
      return c.body(file.text);
    },
  );
}
