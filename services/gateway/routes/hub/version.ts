import type { Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { version } from "../../../../shared/contract/hub.ts";
import { V6_VERSION, VERSION } from "../../../../shared/version.ts";

export function getVersion(app: Hono<AppEnv>): void {
  app.get(
    "/api/version",
    answers(version, {
      does: "`version` is that of v6's API which this hub speaks, `sextant` its own.",
    }),
    function getVersion(c) {
      return c.json({ version: V6_VERSION, sextant: VERSION });
    },
  );
}
