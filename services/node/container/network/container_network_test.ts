import assert from "node:assert/strict";
import { join } from "node:path";
import { silentLogger } from "../../../../shared/service/log.ts";
import { temporaryFolder } from "../../../../tests/harness.ts";
import { createWayOut } from "../../hub/way_out.ts";
import { openContainerNetwork } from "./container_network.ts";

/** Opens a network whose sockets lie in a folder of this name, with one route. */
async function open(folder: string) {
  return await openContainerNetwork({
    folder,
    serve: () => new Response("from the proxy"),
    routes: [{ host: "db.example", port: 5432, address: "127.1.0.1" }],
    wayOut: createWayOut(),
    connect: () => Promise.reject(new Error("not asked")),
    log: silentLogger,
  });
}

Deno.test("openContainerNetwork() leaves nothing when a socket cannot be made, nor after close()", async () => {
  const { path, remove } = await temporaryFolder();
  const left = async () => await Array.fromAsync(Deno.readDir(path));
  try {
    await assert.rejects(open(join(path, "x".repeat(120))));
    assert.deepEqual(await left(), []);
    const network = await open(join(path, "run"));
    assert.equal((await left()).length, 1);
    await network.close();
    assert.deepEqual(await left(), []);
  } finally {
    await remove();
  }
});

Deno.test("openContainerNetwork() takes the place of sockets that were left there", async () => {
  const { path, remove } = await temporaryFolder();
  const folder = join(path, "run");
  try {
    await Deno.mkdir(folder);
    for (const name of ["proxy", "0"]) await Deno.writeTextFile(join(folder, name), "left");
    const network = await open(folder);
    const client = Deno.createHttpClient({
      proxy: { transport: "unix", path: join(folder, "proxy") },
    });
    const answer = await fetch("http://algorithm/", { client });
    assert.equal(await answer.text(), "from the proxy");
    client.close();
    await network.close();
  } finally {
    await remove();
  }
});
