/**
 * Runs scripts in containers as the agent does, in a process of its own so that it can be another
 * user's. Arguments: the engine's socket, a folder, the image, and the scripts. Prints one JSON
 * line for each outcome.
 */
import { silentLogger } from "../../shared/service/log.ts";
import { createContainers } from "../../services/node/container/containers.ts";
import { createEngine } from "../../services/node/container/engine.ts";
import { createWayOut } from "../../services/node/hub/way_out.ts";

const [socket, folder, image, ...scripts] = Deno.args as [string, string, string, ...string[]];
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
(async () => {
  for await (const connection of listener) {
    await connection.write(new TextEncoder().encode("the database\n"));
    connection.close();
  }
})();
const containers = await createContainers({
  engine: createEngine(socket),
  folder,
  agentId: crypto.randomUUID(),
  options: {
    socket,
    limits: { pids: 64, cpus: undefined, diskMiB: 64, logMiB: 1 },
    logins: [],
    requirePull: false,
    pullTimeoutSeconds: 20,
    algorithmEnv: {},
    gpu: false,
    whitelist: undefined,
    services: [],
    tunnels: [],
    runContext: false,
  },
  wayOut: createWayOut(),
  connect: () =>
    Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port }),
  log: silentLogger,
});
const { signal } = new AbortController();
const { id: imageId } = await containers.images.get(image, { signal });
for (const [index, script] of scripts.entries()) {
  const { done } = await containers.start({
    name: `${index + 1}-1`,
    resultId: index + 1,
    jobId: 1,
    imageId,
    context: { nodeId: 1, taskId: 1, collaborationId: 1, method: "m", args: [], kwargs: {} },
    input: new TextEncoder().encode(script),
    databases: [],
    labels: [],
    targets: [{ host: "db.example", port: 5432 }, { host: "192.0.2.7", port: 99 }],
    limits: { timeoutSeconds: 60, memoryMiB: 64, outputMiB: 1 },
    onLog() {},
    token: "a.b.c",
    serve: () => new Response("from the proxy\n"),
  });
  const { status, reason, result, log, release } = await done;
  const text = result && await Deno.readTextFile(result.path);
  await release?.();
  console.log(JSON.stringify({ uid: Deno.uid(), status, reason, result: text, log }));
}
await containers.close();
listener.close();
