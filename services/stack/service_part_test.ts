import assert from "node:assert/strict";
import { childEnvironment } from "./service_part.ts";

Deno.test("childEnvironment() passes on settings and nothing else of the launcher's", () => {
  const launcher = {
    PATH: "/bin",
    https_proxy: "http://proxy",
    SEXTANT_LOG_LEVEL: "debug",
    AWS_SECRET_ACCESS_KEY: "private",
  };
  assert.deepEqual(childEnvironment({ OWN: "1" }, launcher), {
    PATH: "/bin",
    https_proxy: "http://proxy",
    SEXTANT_LOG_LEVEL: "debug",
    OWN: "1",
  });
});

Deno.test("childEnvironment() lets the child's own value win in either of its two forms", () => {
  const launcher = { SEXTANT_DATABASE_URL: "theirs", SEXTANT_ADMIN_PASSWORD_FILE: "/theirs" };
  const own = { SEXTANT_DATABASE_URL_FILE: "/ours", SEXTANT_ADMIN_PASSWORD: "ours" };
  assert.deepEqual(childEnvironment(own, launcher), own);
});
