import assert from "node:assert/strict";
import { z } from "zod";
import { ConfigError, envBoolean, envInteger, readConfig, readLogLevel } from "./config.ts";

const shape = { URL: z.url(), COUNT: envInteger.default(3), FLAG: envBoolean.optional() };

Deno.test("readConfig() parses what is there and fills in defaults", () => {
  const config = readConfig(shape, { env: { URL: "ws://127.0.0.1:1", FLAG: "true" } });
  assert.deepEqual(config, { URL: "ws://127.0.0.1:1", COUNT: 3, FLAG: true });
});

Deno.test("readConfig() names every missing and malformed variable in one error", () => {
  assert.throws(
    () => readConfig({ ...shape, OTHER: z.string() }, { env: { URL: "nonsense", COUNT: "x" } }),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.problems.length, 3);
      assert.match(error.message, /URL: .*\n.*COUNT: .*\n.*OTHER is missing/);
      return true;
    },
  );
});

Deno.test("readConfig() reads a value from the file that NAME_FILE names", () => {
  const options = { env: { URL_FILE: "/run/url" }, readFile: () => "ws://hub:1\n" };
  assert.equal(readConfig(shape, options).URL, "ws://hub:1");
});

Deno.test("readConfig() refuses a value given twice", () => {
  const env = { URL: "ws://a:1", URL_FILE: "/run/url" };
  assert.throws(() => readConfig(shape, { env, readFile: () => "" }), /both set/);
});

Deno.test("readLogLevel() takes the levels there are, and says which", () => {
  const read = (level?: string) => readLogLevel({ env: { SEXTANT_LOG_LEVEL: level } });
  assert.equal(read("warn"), "warn");
  assert.equal(read(), undefined);
  assert.throws(() => read("loud"), /SEXTANT_LOG_LEVEL: must be debug, info, warn or error/);
});
