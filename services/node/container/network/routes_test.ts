import assert from "node:assert/strict";
import { withContainers } from "../../../../tests/support/contained.ts";
import { containerTest, useTestEngine } from "../../../../tests/support/container_engine.ts";
import {
  foreignAddresses,
  hostsFile,
  planRoutes,
  readRoutes,
  routesTo,
  writeRoutes,
} from "./routes.ts";

const testEngine = useTestEngine();
const db = { host: "db.example", port: 5432 };
const other = { host: "other.example", port: 5432 };

Deno.test("planRoutes() gives each name an address of its own, and an address itself", () => {
  const here = { host: "localhost", port: 5432 };
  const plain = { host: "10.1.2.3", port: 1433 };
  const six = { host: "2001:db8::5", port: 1433 };
  const routes = planRoutes([db, other, { ...db, port: 88 }, db, here, plain, six]);
  assert.deepEqual(routes.map(({ host, port, address }) => `${host} ${port} ${address}`), [
    "db.example 5432 127.1.0.1",
    "other.example 5432 127.1.0.2",
    "db.example 88 127.1.0.1",
    "localhost 5432 127.0.0.1",
    "10.1.2.3 1433 10.1.2.3",
    "2001:db8::5 1433 2001:db8::5",
  ]);
  assert.equal(
    hostsFile(routes),
    "127.0.0.1 localhost algorithm\n::1 localhost\n127.1.0.1 db.example\n127.1.0.2 other.example\n",
  );
  assert.deepEqual(foreignAddresses(routes), ["10.1.2.3", "2001:db8::5"]);
  assert.deepEqual(readRoutes(writeRoutes(routes)), routes);
  assert.deepEqual(routesTo([other, { ...db, port: 1 }], routes), [routes[1]]);
});

/** A server that tells its name and what it was told. */
function startServer(name: string): { port: number; close(): void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const connection of listener) {
      (async () => {
        const buffer = new Uint8Array(1000);
        const size = await connection.read(buffer);
        const heard = new TextDecoder().decode(buffer.subarray(0, size ?? 0)).trim();
        await connection.write(new TextEncoder().encode(`${name} heard ${heard}\n`));
        connection.close();
      })().catch(() => {});
    }
  })();
  return { port: (listener.addr as Deno.NetAddr).port, close: () => listener.close() };
}

Deno.test(
  containerTest("Containers reach what they may by name and port, from their first moment"),
  async () => {
    const servers = { [db.host]: startServer("db"), [other.host]: startServer("other") };
    const asked: string[] = [];
    await withContainers(testEngine(), async ({ run }) => {
      const targets = [db, other, { host: "192.0.2.7", port: 1433 }];
      const { log } = await run(
        `
        echo one | nc -w 5 db.example 5432; echo two | nc -w 5 other.example 5432
        echo three | nc -w 5 192.0.2.7 1433
        echo x | nc -w 2 db.example 5433 || echo no other port
        echo x | nc -w 2 192.0.2.8 1433 || echo no other address
        echo x | nc -w 2 127.0.0.1 5432 || echo not at its own address
        nslookup db.example >/dev/null 2>&1 || echo no name server`,
        { targets },
      );
      assert.deepEqual(
        log.split("\n").filter((line) => !line.startsWith("nc:")),
        [
          "db heard one",
          "other heard two",
          "db heard three",
          "no other port",
          "no other address",
          "not at its own address",
          "no name server",
        ],
      );
      const without = await run(`cat /etc/hosts
        echo x | nc -w 2 db.example 5432 || echo unknown
        echo x | nc -w 2 127.1.0.1 5432 || echo nothing there
        echo x | nc -w 2 192.0.2.7 1433 || echo no route`);
      assert.equal(without.log.indexOf("127.0.0.1 localhost algorithm\n::1 localhost\n"), 0);
      assert.doesNotMatch(without.log.split("nc:")[0]!, /internal|example/);
      assert.match(without.log, /unknown/);
      assert.match(without.log, /nothing there/);
      assert.match(without.log, /no route/);
    }, {
      connect({ host, port }) {
        asked.push(`${host} ${port}`);
        const { port: real } = servers[host] ?? servers[db.host]!;
        return Deno.connect({ hostname: "127.0.0.1", port: real });
      },
    });
    assert.deepEqual(asked, ["db.example 5432", "other.example 5432", "192.0.2.7 1433"]);
    for (const server of Object.values(servers)) server.close();
  },
);

Deno.test(
  containerTest("Containers are told when what they may reach does not answer, and go on"),
  async () => {
    await withContainers(testEngine(), async ({ run, log }) => {
      const outcome = await run("echo x | nc -w 5 db.example 5432; echo 1 > output", {
        targets: [db],
      });
      assert.deepEqual([outcome.status, outcome.text], ["completed", "1\n"]);
      assert.match(log.join("\n"), /db\.example[^]*refused on purpose/);
    }, { connect: () => Promise.reject(new Error("refused on purpose")) });
  },
);

Deno.test(
  containerTest("Containers taken up again reach what the owner allows by then"),
  async () => {
    const server = startServer("db");
    await withContainers(testEngine(), async ({ start, again, containers, folder }) => {
      const name = "reach-1";
      await start(
        `while [ ! -e /mnt/tmp/go ]; do sleep 0.1; done
         until echo again | nc -w 5 db.example 5432; do sleep 0.1; done
         echo x | nc -w 2 other.example 5432 || echo no more`,
        { name, jobId: 8100, targets: [db, other] },
      );
      await containers.close();
      const handle = await (await again()).reattach({
        name,
        jobId: 8100,
        targets: [db],
        limits: { timeoutSeconds: 60, memoryMiB: 64, outputMiB: 1 },
        onLog() {},
        serve: () => () => new Response(),
      });
      await Deno.writeTextFile(`${folder}/containers/tmp/8100/go`, "");
      const { log, release } = await handle!.done;
      assert.match(log, /db heard again/);
      assert.match(log, /no more/);
      await release!();
    }, { connect: () => Deno.connect({ hostname: "127.0.0.1", port: server.port }) });
    server.close();
  },
);
