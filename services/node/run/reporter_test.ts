import assert from "node:assert/strict";
import { startOwnNats } from "../../../tests/support/nats.ts";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { MAX_REPORT } from "../../../shared/node_protocol/limits.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import type { Broker } from "../hub/broker.ts";
import { createHub } from "../hub/hub.ts";
import { writePieces } from "../payload/pieces.ts";
import { writeFinishReport } from "../record/finish_report.ts";
import { createReporter, UndeliverableError } from "./reporter.ts";

Deno.test("Reporter.finish() gives up a large result that cannot be sent while the broker answers, and says why", async () => {
  const nats = await startOwnNats();
  const { nc } = await nats.node(7);
  let asked = 0;
  const claims = JSON.stringify({ sub: 7, exp: Date.now() / 1000 + 3600 });
  const token = `e30.${new TextEncoder().encode(claims).toBase64({ alphabet: "base64url" })}.x`;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    if (request.url.endsWith("/token/node")) return Response.json({ access_token: token });
    asked++;
    return Response.json({ msg: "no room" }, { status: 503 });
  });
  const ended = new AbortController();
  const hub = createHub({
    api: `http://127.0.0.1:${server.addr.port}`,
    apiKey: "k",
    payloadFormats: [],
    log: silentLogger,
  });
  const folder = await temporaryFolder();
  const path = `${folder.path}/report`;
  try {
    const result = await writePieces(`${folder.path}/result`, [new Uint8Array(MAX_REPORT + 1)]);
    const run = { status: "completed", result, log: null, reason: null, seal: null } as const;
    await writeFinishReport(path, { agent_id: "a", result_id: 1, attempt: 1 }, run);
    const reporter = createReporter({
      broker: { connection: nc } as Broker,
      hub,
      agentId: crypto.randomUUID(),
      nodeId: 7,
      log: silentLogger,
      signal: ended.signal,
      uploadPatienceMs: 400,
    });
    await nats.kill9();
    await waitFor(() => !nc.connected, { what: "the loss" });
    const sending = reporter.finish({ result_id: 1, attempt: 1 }, path);
    const outcome = sending.then(() => "sent", (error) => error);
    const before = asked;
    await waitFor(() => asked > before + 3, { what: "attempts without the broker" });
    await nats.start();
    const error = await outcome;
    assert.ok(error instanceof UndeliverableError, String(error));
    assert.match(error.message, /^The result could not be sent for \d+ minutes, .*; no room$/);
  } finally {
    ended.abort(new Error("over"));
    await server.shutdown();
    await nats.stop();
    await folder.remove();
  }
});
