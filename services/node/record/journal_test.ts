import assert from "node:assert/strict";
import { join } from "node:path";
import { createLogger, silentLogger } from "../../../shared/service/log.ts";
import { dispatch } from "../../../tests/support/dispatch.ts";
import { type ContentFile, writePieces } from "../payload/pieces.ts";
import { attemptKey } from "./attempt_key.ts";
import { type Journal, openJournal } from "./journal.ts";

const run = { status: "completed", log: null, reason: null } as const;

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function contentFile(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<ContentFile> {
  return writePieces(
    path,
    (async function* () {
      yield bytes;
    })(),
  );
}

function open(folder: string, options = {}): Promise<Journal> {
  return openJournal(folder, { log: silentLogger, ...options });
}

function states(journal: Journal): Record<string, string> {
  return Object.fromEntries([...journal.open].map(([key, { state }]) => [key, state]));
}

Deno.test("openJournal() comes back with every state and the same agent id", async () => {
  await withFolder(async (folder) => {
    const first = await open(folder);
    for (const result_id of [1, 2, 3, 4]) await first.accepted({ ...dispatch, result_id });
    for (const result_id of [2, 3, 4]) await first.started({ result_id, attempt: 1 });
    for (const result_id of [3, 4]) {
      await first.finished({ result_id, attempt: 1 }, {
        ...run,
        result: await contentFile(`${folder}/output`, new TextEncoder().encode("{}")),
      });
    }
    await first.closed({ result_id: 4, attempt: 1 });
    await first.close();

    const second = await open(folder);
    assert.equal(second.agentId, first.agentId);
    assert.deepEqual(states(second), { "1-1": "accepted", "2-1": "started", "3-1": "finished" });
    assert.deepEqual(second.open.get("1-1")?.dispatch, { ...dispatch, result_id: 1 });
    const report = JSON.parse(
      await Deno.readTextFile(second.reportPath({ result_id: 3, attempt: 1 })),
    );
    assert.deepEqual(report, {
      agent_id: first.agentId,
      result_id: 3,
      attempt: 1,
      status: "completed",
      log: null,
      reason: null,
      result: btoa("{}"),
    });
    await assert.rejects(Deno.stat(second.reportPath({ result_id: 4, attempt: 1 })));
    await second.close();
  });
});

Deno.test("openJournal() cuts off a torn end, wherever the tear is", async () => {
  await withFolder(async (folder) => {
    const first = await open(folder);
    await first.accepted(dispatch);
    await first.started(dispatch);
    await first.close();
    const path = join(folder, "journal");
    const whole = await Deno.readFile(path);
    const startOfLast = whole.lastIndexOf(10, whole.length - 2) + 1;
    for (let length = startOfLast; length < whole.length; length++) {
      await Deno.writeFile(path, whole.subarray(0, length));
      const torn = await open(folder);
      assert.deepEqual(states(torn), { "7-1": "accepted" });
      await torn.closed(dispatch);
      await torn.close();
      const mended = await open(folder);
      assert.equal(mended.agentId, first.agentId);
      assert.deepEqual(states(mended), {});
      await mended.close();
    }
  });
});

Deno.test("openJournal() refuses a file that is damaged in the middle and names the line", async () => {
  await withFolder(async (folder) => {
    const first = await open(folder);
    await first.accepted(dispatch);
    await first.started(dispatch);
    await first.close();
    const path = join(folder, "journal");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace('"result_id":7', '"result_id":8'));
    await assert.rejects(open(folder), /line 2 of the journal .* is damaged/);
    await Deno.writeTextFile(path, text);
    await (await open(folder)).close();
  });
});

Deno.test("openJournal() lets one process at a time into a folder and names the other", async () => {
  await withFolder(async (folder) => {
    const first = await open(folder);
    await assert.rejects(open(folder), new RegExp(`another agent \\(process ${Deno.pid}\\)`));
    await first.close();
    await (await open(folder)).close();
  });
});

Deno.test("openJournal() gets the folder of a process that was killed", async () => {
  await withFolder(async (folder) => {
    const program = `
      import { lockFolder } from ${JSON.stringify(import.meta.resolve("./data_folder.ts"))};
      await lockFolder(${JSON.stringify(folder)});
      console.log("locked");
      setInterval(() => {}, 1000);`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", `data:application/typescript,${encodeURIComponent(program)}`],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await assert.rejects(open(folder), new RegExp(`process ${child.pid}`));
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await (await open(folder)).close();
  });
});

Deno.test("openJournal() removes reports that no finished attempt refers to", async () => {
  await withFolder(async (folder) => {
    const first = await open(folder);
    await first.accepted(dispatch);
    await first.started(dispatch);
    await Deno.writeTextFile(first.reportPath(dispatch), '{"half');
    await first.close();
    const second = await open(folder);
    await assert.rejects(Deno.stat(second.reportPath(dispatch)), Deno.errors.NotFound);
    await second.close();
  });
});

Deno.test("Journal writes itself anew when closed attempts make it long", async () => {
  await withFolder(async (folder) => {
    const journal = await open(folder, { compactAbove: 4000 });
    await journal.accepted(dispatch);
    for (let result_id = 100; result_id < 200; result_id++) {
      await journal.accepted({ ...dispatch, result_id });
      await journal.closed({ result_id, attempt: 1 });
    }
    assert.ok((await Deno.stat(join(folder, "journal"))).size < 6000);
    await journal.close();
    const again = await open(folder);
    assert.deepEqual([...again.open.keys()], [attemptKey(dispatch)]);
    await again.close();
  });
});

Deno.test("Journal keeps the order of many records that are written at once", async () => {
  await withFolder(async (folder) => {
    const journal = await open(folder);
    const ids = Array.from({ length: 200 }, (_, index) => index + 1);
    await Promise.all(ids.map(async (result_id) => {
      await journal.accepted({ ...dispatch, result_id });
      await journal.started({ result_id, attempt: 1 });
    }));
    await journal.close();
    const again = await open(folder);
    assert.equal([...again.open.values()].filter(({ state }) => state === "started").length, 200);
    await again.close();
  });
});

Deno.test("Journal stores a large result in pieces that join to its base64", async () => {
  await withFolder(async (folder) => {
    const journal = await open(folder);
    const result = new Uint8Array(2 * 2 ** 20 + 1).map((_, index) => index % 251);
    await journal.accepted(dispatch);
    await journal.finished(dispatch, {
      ...run,
      result: await contentFile(`${folder}/output`, result),
    });
    const stored = JSON.parse(await Deno.readTextFile(journal.reportPath(dispatch)));
    assert.equal(stored.result, result.toBase64());
    await journal.close();
  });
});

Deno.test("Journal refuses everything after a write has failed", async () => {
  await withFolder(async (folder) => {
    const lines: string[] = [];
    const log = createLogger("test", { write: (line) => lines.push(line) });
    const journal = await openJournal(folder, { log, compactAbove: 1 });
    await Deno.mkdir(join(folder, "journal.new")); // the next compaction cannot create its file
    await journal.accepted(dispatch);
    await assert.rejects(journal.started(dispatch), /Cannot write the journal/);
    await journal.close();
  });
});
