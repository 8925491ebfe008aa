import assert from "node:assert/strict";
import { freePort, portIsFree } from "../services/stack/ports.ts";
import { type ManagedProcess, startProcess } from "../services/stack/process.ts";
import { readPorts } from "../services/stack/deployment.ts";
import { CACHE_FOLDER, temporaryFolder, waitFor } from "./harness.ts";

const MAIN = new URL("../services/stack/main.ts", import.meta.url).pathname;

interface Launcher {
  process: ManagedProcess;
  /** Everything it has printed so far. */
  lines: string[];
  /** Resolves when it says that it is ready; rejects when it ends instead. */
  ready: Promise<void>;
}

function launch(folder: string, port: number): Launcher {
  const lines: string[] = [];
  const { promise, resolve } = Promise.withResolvers<"ready">();
  const process = startProcess({
    command: Deno.execPath(),
    args: ["run", "-A", MAIN, "up", "--data", folder, "--port", String(port)],
    env: { ...Deno.env.toObject(), NO_COLOR: "1" },
    onLine(line) {
      lines.push(line);
      if (line.includes("Sextant is ready")) resolve("ready");
    },
  });
  const ready = Promise.race([promise, process.exited]).then((outcome) => {
    assert.equal(outcome, "ready", lines.join("\n"));
  });
  return { process, lines, ready };
}

/** Command lines of all processes that have to do with `folder`, the launcher and zombies aside. */
function processesOf(folder: string): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const about = Deno.readTextFileSync(`/proc/${name}/cmdline`) +
        Deno.readTextFileSync(`/proc/${name}/environ`);
      if (about.includes(folder) && Number(name) !== Deno.pid) found.push(about.slice(0, 200));
    } catch {
      // It has gone, or it is somebody else's.
    }
  }
  return found;
}

async function nothingIsLeft(folder: string) {
  await waitFor(() => processesOf(folder).length === 0, {
    what: `the end of all processes of ${folder}`,
  });
  for (const [part, port] of Object.entries(await readPorts(folder))) {
    assert.ok(portIsFree(port), `the port of ${part}, ${port}, is still open`);
  }
}

async function logIn(folder: string, port: number): Promise<number> {
  const password = await Deno.readTextFile(`${folder}/services/identity/admin_password`);
  const response = await fetch(`http://127.0.0.1:${port}/api/token/user`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "admin", password }),
  });
  await response.body?.cancel();
  return response.status;
}

async function inFolder(body: (folder: string, port: number) => Promise<void>) {
  const folder = await temporaryFolder();
  // What was downloaded before need not be again.
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  await Deno.symlink(CACHE_FOLDER, `${folder.path}/cache`);
  try {
    await body(folder.path, freePort());
  } finally {
    await folder.remove();
  }
}

Deno.test("up keeps its data over a stop and a kill of the launcher, and leaves nothing behind", () =>
  inFolder(async (folder, port) => {
    const first = launch(folder, port);
    await first.ready;
    assert.equal(await logIn(folder, port), 200);
    first.process.signal("SIGINT");
    assert.equal((await first.process.exited).code, 0, first.lines.join("\n"));
    await nothingIsLeft(folder);

    const second = launch(folder, port);
    await second.ready;
    assert.equal(await logIn(folder, port), 200);
    second.process.signal("SIGKILL");
    await second.process.exited;

    const third = launch(folder, port);
    await third.ready;
    assert.equal(await logIn(folder, port), 200);
    third.process.signal("SIGTERM");
    assert.equal((await third.process.exited).code, 0, third.lines.join("\n"));
    await nothingIsLeft(folder);
  }));

Deno.test("up stops everything when a part dies, and shows that part's last lines", () =>
  inFolder(async (folder, port) => {
    const { process, lines, ready } = launch(folder, port);
    await ready;
    const pid = Number((await Deno.readTextFile(`${folder}/run/task`)).split(" ")[0]);
    Deno.kill(pid, "SIGKILL");
    assert.equal((await process.exited).code, 1);
    const text = lines.join("\n");
    assert.match(text, /The part "task" has ended \(killed by SIGKILL\)\. Its last lines:\n {2}\w/);
    await nothingIsLeft(folder);
  }));

Deno.test("up says so when its port is taken", () =>
  inFolder(async (folder, port) => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    try {
      const { process, lines, ready } = launch(folder, port);
      await assert.rejects(ready);
      assert.equal((await process.exited).code, 1);
      assert.match(lines.join("\n"), new RegExp(`port ${port} is taken by another program`));
    } finally {
      listener.close();
    }
  }));
