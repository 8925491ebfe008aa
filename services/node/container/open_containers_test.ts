import assert from "node:assert/strict";
import type { z } from "zod";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { LIMITS, OPTIONS } from "../../../tests/support/contained.ts";
import {
  containerTest,
  SHELL_IMAGE,
  useTestEngine,
} from "../../../tests/support/container_engine.ts";
import { dispatch } from "../../../tests/support/dispatch.ts";
import { HubError } from "../hub/hub.ts";
import { createWayOut } from "../hub/way_out.ts";
import { openJournal } from "../record/journal.ts";
import { openContainers } from "./open_containers.ts";

const testEngine = useTestEngine();

/** What the hub says of the tasks of each job; of any other that it does not exist. */
const TASKS: Record<number, { status: string; complete: boolean }[]> = {
  50: [{ status: "completed", complete: true }],
  51: [{ status: "completed", complete: true }],
  52: [{ status: "completed", complete: true }, { status: "failed", complete: false }],
};
const hub = {
  request<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const data = TASKS[Number(/^\/task\?job_id=(\d+)$/.exec(path)![1])];
    if (data) return Promise.resolve(schema.parse({ data }));
    return Promise.reject(new HubError("The filter names a job that does not exist.", 400));
  },
};

Deno.test(
  containerTest(
    "openContainers() keeps what a run under way has, and removes what was left when it could not be",
  ),
  async () => {
    const folder = await temporaryFolder();
    const journal = await openJournal(folder.path, { log: silentLogger });
    async function open() {
      const containers = await openContainers({
        options: { ...OPTIONS, socket: testEngine().socket },
        folder: folder.path,
        journal,
        hub,
        wayOut: createWayOut(),
        log: silentLogger,
        everyMs: 50,
      });
      return containers!;
    }
    async function left(what: string): Promise<string[]> {
      const names = await Array.fromAsync(Deno.readDir(`${folder.path}/containers/${what}`));
      return names.map(({ name }) => name).sort();
    }
    const first = await open();
    let second: typeof first | undefined;
    try {
      const run = { ...dispatch, result_id: 1, run_id: 50 };
      await journal.accepted(run);
      await journal.started(run);
      const { signal } = new AbortController();
      await first.start({
        name: "1-1",
        resultId: 1,
        jobId: 50,
        imageId: (await first.images.get(SHELL_IMAGE, { signal })).id,
        context: null,
        input: new TextEncoder().encode("sleep 600"),
        databases: [],
        labels: [],
        targets: [],
        limits: LIMITS,
        onLog() {},
        token: "a.b.c",
        serve: () => new Response("from the proxy"),
      });
      await first.close();
      for (const job of [51, 52, 53]) {
        await Deno.mkdir(`${folder.path}/containers/tmp/${job}`);
      }

      second = await open();
      await waitFor(async () => (await left("tmp")).length === 2, { what: "two rounds" });
      assert.deepEqual(await left("tmp"), ["50", "52"], "a run of 50 and one of 52 go on");
      assert.deepEqual(await testEngine().states(), ["running"]);

      // As after a kill while the engine was away: the run is over, and its container runs.
      await journal.closed(run);
      await waitFor(async () => (await left("tmp")).length === 1, { what: "the folder to go" });
      await waitFor(async () => (await testEngine().running()).length === 0, {
        what: "the container to go",
        timeout: 30_000,
      });
      await waitFor(async () => (await left("runs")).length === 0, { what: "its place to go" });
      assert.deepEqual(await left("tmp"), ["52"]);
    } finally {
      await second?.close();
      await journal.close();
      await folder.remove();
    }
  },
);
