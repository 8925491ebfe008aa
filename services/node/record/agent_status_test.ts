import assert from "node:assert/strict";
import { readStatus, showStatus, writeStatus } from "./agent_status.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";

const dispatch = { result_id: 11, attempt: 1, task_id: 5, image: "deno:average@1.0" } as Dispatch;

Deno.test("writeStatus() says what runs until it is closed; readStatus() reads that", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const open = new Map([["11-1", { dispatch, state: "started" as const }]]);
    const writer = writeStatus({
      folder,
      journal: { open },
      node: { id: 3, name: "Alpha" },
      contact: () => Promise.reject(new Error("cut off")),
    });
    let status = await readStatus(folder);
    while (!status) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      status = await readStatus(folder);
    }
    const { text, well } = showStatus(status);
    assert.equal(well, false);
    assert.match(text, /NOT connected, last contact never/);
    assert.match(text, /1 under way, 0 waiting, 0 to be reported/);
    assert.match(text, /task 5, result 11, attempt 1, deno:average@1\.0/);
    await writer.close();
    assert.equal(await readStatus(folder), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("showStatus() does not take an old file for a live agent", () => {
  const at = "2026-01-01T00:00:00.000Z";
  const status = {
    at,
    pid: 1,
    started_at: at,
    node: { id: 3, name: "Alpha" },
    last_contact: at,
    runs: [],
    memory_mib: 90,
    load: [0],
  };
  assert.ok(showStatus(status, Date.parse(at) + 1000).well);
  const old = showStatus(status, Date.parse(at) + 60_000);
  assert.equal(old.well, false);
  assert.match(old.text, /does not answer/);
  assert.match(showStatus(undefined).text, /does not run/);
});
