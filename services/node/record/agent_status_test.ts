import assert from "node:assert/strict";
import { type AgentState, readStatus, showStatus, writeStatus } from "./agent_status.ts";
import { waitFor } from "../../../tests/harness.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";

const dispatch = { result_id: 11, attempt: 1, task_id: 5, image: "deno:average@1.0" } as Dispatch;

Deno.test("writeStatus() says what runs until it is closed; readStatus() reads that", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const open = new Map([["11-1", { dispatch, state: "started" as const }]]);
    const writer = writeStatus({
      folder,
      journal: { open },
      state: {
        node: { id: 3, name: "Alpha" },
        waitsFor: undefined,
        trouble: null,
        contact: () => Promise.reject(new Error("cut off")),
      },
    });
    const status = await waitFor(() => readStatus(folder), { what: "the status" });
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

Deno.test("showStatus() says of an agent that has not begun what it waits for, and why", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const state: AgentState = {
      node: undefined,
      waitsFor: "the hub",
      trouble: { reason: "dns error", at: new Date().toISOString() },
      contact: undefined,
    };
    const writer = writeStatus({ folder, journal: { open: new Map() }, state });
    const first = await waitFor(() => readStatus(folder), { what: "the status" });
    assert.match(
      showStatus(first).text,
      /^node +not known before it logs in\nagent +runs, process/,
    );
    assert.match(
      showStatus(first).text,
      /\nwaiting +for the hub, before it takes work\nbecause +dns error\n/,
    );
    assert.equal(showStatus(first).well, false);
    state.node = { id: 3, name: "Alpha" };
    state.waitsFor = undefined;
    state.contact = () => Promise.resolve();
    writer.rewrite();
    const second = await waitFor(async () => {
      const status = await readStatus(folder);
      return status?.last_contact ? status : undefined;
    }, { what: "contact" });
    assert.doesNotMatch(showStatus(second).text, /waiting +for|because/);
    assert.ok(showStatus(second).well);
    await writer.close();
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
    waits_for: null,
    trouble: null,
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
