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

/** `through` is a command that starts another one. */
function launch(folder: string, port?: number, through: string[] = []): Launcher {
  const lines: string[] = [];
  const { promise, resolve } = Promise.withResolvers<"ready">();
  const [command, ...args] = [...through, Deno.execPath(), "run", "-A", MAIN, "up"];
  const process = startProcess({
    command: command!,
    args: [...args, "--data", folder, ...port === undefined ? [] : ["--port", String(port)]],
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

/** The password that a first start has shown. */
function passwordIn({ lines }: Launcher): string {
  return /Log in {2}user "admin", password "(\S+)" \(shown once/.exec(lines.join("\n"))![1]!;
}

/** The files below `folder` that hold a text. */
async function filesWith(folder: string, text: string): Promise<string[]> {
  const grep = new Deno.Command("grep", { args: ["-rlF", "--exclude-dir=cache", text, folder] });
  return new TextDecoder().decode((await grep.output()).stdout).split("\n").filter(Boolean);
}

async function logIn(password: string, port: number): Promise<number> {
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
    const password = passwordIn(first);
    assert.equal(await logIn(password, port), 200);
    await waitFor(async () => (await filesWith(folder, password)).length === 0, {
      what: "the end of the file with the password",
    });
    first.process.signal("SIGINT");
    assert.equal((await first.process.exited).code, 0, first.lines.join("\n"));
    await nothingIsLeft(folder);

    const second = launch(folder, port);
    await second.ready;
    assert.equal(await logIn(password, port), 200);
    assert.doesNotMatch(second.lines.join("\n"), /Log in/);
    second.process.signal("SIGKILL");
    await second.process.exited;

    const third = launch(folder, port);
    await third.ready;
    assert.equal(await logIn(password, port), 200);
    third.process.signal("SIGTERM");
    assert.equal((await third.process.exited).code, 0, third.lines.join("\n"));
    await nothingIsLeft(folder);
  }));

Deno.test("up starts parts that die again, shows their last lines, and the hub answers again", () =>
  inFolder(async (folder, port) => {
    const launcher = launch(folder, port);
    const { process, lines, ready } = launcher;
    await ready;
    for (const part of ["task", "nats", "postgres", "gateway"]) {
      const pid = Number((await Deno.readTextFile(`${folder}/run/${part}`)).split(" ")[0]);
      Deno.kill(pid, "SIGKILL");
      const again = new RegExp(`${part}.* It runs again`);
      await waitFor(() => lines.some((line) => again.test(line)), {
        what: `the second start of ${part}`,
        timeout: 60_000,
      });
    }
    const text = lines.join("\n");
    assert.match(text, /The part "task" has ended \(killed by SIGKILL\)\. Its last lines:\n {2}\w/);
    await waitFor(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/api/health`).catch(() => undefined);
      await response?.body?.cancel();
      return response?.ok;
    }, { what: "a healthy hub", timeout: 60_000 });
    assert.equal(await logIn(passwordIn(launcher), port), 200);
    process.signal("SIGINT");
    assert.equal((await process.exited).code, 0);
    await nothingIsLeft(folder);
  }));

Deno.test("up stays at the port of last time: taken, it says so and changes nothing", () =>
  inFolder(async (folder, port) => {
    const ports = { gateway: port, nats: freePort(), natsWebsocket: freePort() };
    await Deno.writeTextFile(`${folder}/ports.json`, JSON.stringify(ports));
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    try {
      const { process, lines, ready } = launch(folder);
      await assert.rejects(ready);
      assert.equal((await process.exited).code, 1);
      assert.match(
        lines.join("\n"),
        new RegExp(`port ${port}, where this hub's nodes and users look for it, is taken`),
      );
      assert.deepEqual(await readPorts(folder), ports);
    } finally {
      listener.close();
    }
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

/** What takes root's right to such ports from the command after it; who is not root has none. */
const WITHOUT_LOW_PORTS = Deno.uid() === 0 ? ["setpriv", "--bounding-set=-net_bind_service"] : [];

/** Whether this account, with that taken from it, may still not be refused a port below 1024. */
async function everybodyOpensLowPorts(): Promise<boolean> {
  const path = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
  const first = await Deno.readTextFile(path).catch(() => "0");
  const [command, ...args] = [...WITHOUT_LOW_PORTS, "true"];
  const works = await new Deno.Command(command!, { args }).output()
    .then(({ success }) => success, () => false);
  return Number(first) <= 80 || !works;
}

Deno.test("up says so, before anything else, when this account may not open its port", {
  ignore: await everybodyOpensLowPorts(),
}, () =>
  inFolder(async (folder) => {
    const { process, lines, ready } = launch(folder, 80, WITHOUT_LOW_PORTS);
    await assert.rejects(ready);
    assert.equal((await process.exited).code, 1);
    assert.deepEqual(lines, [
      "Cannot start: this account may not open port 80; those below 1024 are root's. Choose " +
      "another with --port, and put a web server in front of it if it is to be reached there.",
    ]);
    const made = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    assert.ok(!made.includes("postgres") && !made.includes("ports.json"), made.join());
  }));
