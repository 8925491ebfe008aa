import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { startTestNats } from "../../../tests/support/nats.ts";
import { deleteOldStream } from "./old_stream.ts";

Deno.test("deleteOldStream() deletes what the version before kept, and is quiet where there is none", async () => {
  const nats = await startTestNats();
  const manager = await (await nats.owner()).nc.jetstreamManager();
  await manager.streams.add({ name: "DISPATCH", subjects: ["dispatch.*"] });
  await manager.streams.add({ name: "EVENTS", subjects: ["event.>"] });
  const { nc } = await nats.service("task");
  let warnings = 0;
  const log = { ...silentLogger, warn: () => void warnings++ };
  await deleteOldStream(nc, log);
  await deleteOldStream(nc, log);
  const names: string[] = [];
  for await (const { config } of manager.streams.list()) names.push(config.name);
  assert.deepEqual(names, ["EVENTS"]);
  assert.equal(warnings, 0);
  await nats.stop();
});
