import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { startTestPostgres, temporaryFolder, waitFor } from "../../tests/harness.ts";
import { openDatabase } from "./db.ts";
import { silentLogger } from "../service/log.ts";

/**
 * A way to the server at `url` that can be cut in order, as a proxy does, without a word of the
 * server's.
 */
async function startCutter(url: string) {
  const address = new URL(url.replace("@/", "@localhost/"));
  const { host, port = "5432" } = Object.fromEntries(address.searchParams);
  const folder = await temporaryFolder();
  const listener = Deno.listen({ transport: "unix", path: `${folder.path}/.s.PGSQL.5432` });
  const open = new Set<Deno.Conn>();
  (async () => {
    for await (const inside of listener) {
      const outside = await Deno.connect({ transport: "unix", path: `${host}/.s.PGSQL.${port}` });
      open.add(inside);
      inside.readable.pipeTo(outside.writable).catch(() => {});
      outside.readable.pipeTo(inside.writable).catch(() => {});
    }
  })();
  address.searchParams.set("host", folder.path);
  address.searchParams.set("port", "5432");
  function cut() {
    for (const one of open) {
      try {
        one.close();
      } catch {
        // It has gone by itself.
      }
    }
    open.clear();
  }
  return {
    url: address.href.replace("@localhost/", "@/"),
    cut,
    async stop() {
      listener.close();
      cut();
      await folder.remove();
    },
  };
}

Deno.test(
  "openDatabase() survives connections that are closed in the middle of transactions",
  async () => {
    const postgres = await startTestPostgres();
    const cutter = await startCutter(await postgres.newDatabase("task"));
    const db = openDatabase(cutter.url, { schema: "public", log: silentLogger, max: 3 });
    try {
      let failures = 0;
      for (let round = 0; round < 20; round++) {
        const cuts = Array.from({ length: 3 }, () =>
          db.begin(async (tx) => {
            await tx`select 1`;
            await tx`select pg_sleep(0.02)`;
          }).catch(() => failures++));
        await Promise.race([Promise.all(cuts), delay(5 + round % 20)]);
        cutter.cut();
      }
      assert.ok(failures > 0);
      for (let n = 0; n < 6; n++) {
        await waitFor(
          async () =>
            await Promise.race([
              db.begin(async (tx) => (await tx`select 1 as one`)[0]!.one === 1).catch(() => false),
              delay(6000, false),
            ]),
          { what: "a transaction", timeout: 30_000 },
        );
      }
    } finally {
      await db.end({ timeout: 0 }).catch(() => {});
      await cutter.stop();
      await postgres.stop();
    }
  },
);
