/**
 * A real container engine for tests: a Podman of their own, with its own storage and socket, and an
 * image made here. Where there is no Podman that can be used, tests that need it are skipped and
 * their names say so.
 */
import { join } from "node:path";
import { z } from "zod";
import { createEngine, type Engine, engineInfo } from "../../services/node/container/engine.ts";
import { type ManagedProcess, startProcess } from "../../services/stack/process.ts";
import { temporaryFolder, waitFor } from "../harness.ts";

/** What tests ask the engine to run: a shell that obeys its input. */
export const SHELL_IMAGE = "localhost/sextant-test-shell";

/** Why no engine can be had on this machine; `undefined` where one can. */
export const missing = await whatIsMissing();
if (missing) console.log(`Tests of containers are skipped: ${missing}`);

/**
 * Options of a `Deno.test` that needs a container engine: `Deno.test(containerTest("name"), …)`.
 */
export function containerTest(name: string): { name: string; ignore: boolean } {
  return { name, ignore: missing !== undefined };
}

async function whatIsMissing(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "they need root";
  for (const program of ["podman", "runc", "busybox", "nsenter", "tar"]) {
    const found = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] }).output();
    if (!found.success) {
      return `there is no ${program} here (apt-get install podman runc busybox-static)`;
    }
  }
}

export interface TestEngine {
  socket: string;
  /** The files of {@linkcode SHELL_IMAGE}, as a tar archive. */
  shellArchive: string;
  engine: Engine;
  /** Makes an image of a folder. `changes` are lines of a Dockerfile. */
  importImage(name: string, folder: string, changes: string[]): Promise<void>;
  /** Ids of the containers there are, running or not. */
  running(): Promise<string[]>;
  /** Their states: `created`, `running`, `exited`. */
  states(): Promise<string[]>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** An account that an engine can run as without root. */
export interface EngineUser {
  name: string;
  uid: number;
}

/** Whether the kernel mounts an overlay in this folder; on top of another overlay it does not. */
async function canOverlay(folder: string): Promise<boolean> {
  const script = "mkdir -p o/lower o/upper o/work o/all && " +
    "mount -t overlay overlay -o lowerdir=o/lower,upperdir=o/upper,workdir=o/work o/all && umount o/all";
  const { success } = await new Deno.Command("sh", {
    args: ["-c", script],
    cwd: folder,
    stderr: "null",
  }).output();
  return success;
}

/** Starts an engine, rootless if a `user` is given. */
export async function startTestEngine(user?: EngineUser): Promise<TestEngine> {
  const folder = await temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  await Deno.writeTextFile(
    at("containers.conf"),
    `[containers]
default_ulimits=["nofile=20000:20000","nproc=32768:32768"]
[engine]
runtime="runc"
cgroup_manager="cgroupfs"
events_logger="file"
`,
  );
  const driver = user || !await canOverlay(folder.path) ? "vfs" : "overlay";
  await Deno.writeTextFile(
    at("storage.conf"),
    `[storage]\ndriver="${driver}"\ngraphroot="${at("graph")}"\nrunroot="${at("run")}"\n` +
      // A user without further ids of its own has but one for all that is in an image.
      (user ? `[storage.options.vfs]\nignore_chown_errors="true"\n` : ""),
  );
  await Deno.writeTextFile(
    at("registries.conf"),
    `[[registry]]\nprefix="127.0.0.1"\nlocation="127.0.0.1"\ninsecure=true\n`,
  );
  const env = {
    ...Deno.env.toObject(),
    CONTAINERS_REGISTRIES_CONF: at("registries.conf"),
    CONTAINERS_CONF: at("containers.conf"),
    CONTAINERS_STORAGE_CONF: at("storage.conf"),
    ...(user ? { HOME: at("home"), XDG_RUNTIME_DIR: at("runtime") } : {}),
  };
  const podman = user ? [...asUser(user), "podman"] : ["podman"];
  if (user) {
    for (const name of ["home", "runtime"]) await Deno.mkdir(at(name), { mode: 0o700 });
    for (const path of [at("home"), at("runtime"), folder.path]) {
      await Deno.chown(path, user.uid, null);
    }
  }
  const socket = at("podman.sock");
  let service: ManagedProcess;
  const engine = createEngine(socket);
  async function start() {
    service = startProcess({
      command: podman[0]!,
      args: [...podman.slice(1), "system", "service", "--time=0", `unix://${socket}`],
      env,
      onLine() {},
    });
    await waitFor(() => engineInfo(engine), { what: "Podman to answer" });
  }
  async function end() {
    // A rootless engine goes on in a process of its own, in the same group.
    if (user) Deno.kill(-service.pid, "SIGTERM");
    else service.signal("SIGTERM");
    await service.exited;
  }
  await start();
  async function importImage(name: string, source: string, changes: string[]) {
    const archive = at(`${crypto.randomUUID()}.tar`);
    await pack(source, archive);
    const query = new URLSearchParams([
      ["fromSrc", "-"],
      ["repo", name],
      ...changes.map((change) => ["changes", change]),
    ]);
    const client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
    const file = await Deno.open(archive);
    const response = await fetch(`http://engine/v1.41/images/create?${query}`, {
      method: "POST",
      client,
      body: file.readable,
      headers: { "content-type": "application/x-tar" },
    });
    const text = await response.text();
    client.close();
    await Deno.remove(archive);
    if (!response.ok) throw new Error(text);
  }
  await importShellImage(importImage, at("shell"));
  await pack(at("shell"), at("shell.tar"));
  return {
    socket,
    shellArchive: at("shell.tar"),
    engine,
    importImage,
    async running() {
      const schema = z.array(z.object({ Id: z.string() }));
      return (await engine.json("GET", "/containers/json?all=true", schema)).map(({ Id }) => Id);
    },
    async states() {
      const schema = z.array(z.object({ State: z.string() }));
      return (await engine.json("GET", "/containers/json?all=true", schema)).map((one) =>
        one.State
      );
    },
    async restart() {
      await end();
      await start();
    },
    async stop() {
      const tell = (...args: string[]) =>
        new Deno.Command(podman[0]!, { args: [...podman.slice(1), ...args], env, clearEnv: true })
          .output();
      const rest = await tell("rm", "-af");
      await end();
      // Ends the process that holds a rootless engine's namespaces.
      if (user) await tell("system", "migrate");
      if (!rest.success) throw new Error(new TextDecoder().decode(rest.stderr));
      // Podman leaves a mount of its storage behind.
      await new Deno.Command("umount", { args: [at("graph/vfs"), at("graph")], stderr: "null" })
        .output();
      await folder.remove();
    },
  };
}

/** The start of a command line that is run as another user. */
export function asUser({ name }: EngineUser): string[] {
  return ["setpriv", `--reuid=${name}`, `--regid=${name}`, "--clear-groups", "--"];
}

async function pack(folder: string, archive: string): Promise<void> {
  const args = ["-cf", archive, "-C", folder, "."];
  const { success, stderr } = await new Deno.Command("tar", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/**
 * One engine for all tests of the file that calls this at its top, or none where they are skipped.
 */
export function useTestEngine(): () => TestEngine {
  let running: TestEngine | undefined;
  Deno.test.beforeAll(async () => {
    if (!missing) running = await startTestEngine();
  });
  Deno.test.afterAll(() => running?.stop());
  return () => {
    if (!running) throw new Error("Cannot use the engine before the tests of this file have begun");
    return running;
  };
}

/** Methods of {@linkcode SHELL_IMAGE} for tests on the whole system. */
const METHODS = {
  partial:
    `awk -F, 'NR>1{s+=$1;n++} END{printf "{\\"sum\\":%s,\\"count\\":%s}", s, n}' /mnt/data/default.csv > output
echo "rows counted"`,
  central: await Deno.readTextFile(new URL("central.sh", import.meta.url)),
  blobs: await Deno.readTextFile(new URL("blobs.sh", import.meta.url)),
  big: `bytes=$(head -c 1000 input | sed 's/.*"bytes":\\([0-9]*\\).*/\\1/')
{ printf '"'; head -c $bytes /dev/zero | tr '\\0' x; printf '"'; } > output`,
  size: `tail -c 100000 input | wc -c > output; wc -c < input`,
  /** Counts how often it was run for this job, and waits for a sign. */
  count: `echo once more >> /mnt/tmp/runs; while [ ! -e /mnt/tmp/go ]; do sleep 0.05; done
printf '{"runs":%s}' $(wc -l < /mnt/tmp/runs) > output`,
  /** Asks the database at a port of localhost for its name. */
  ask: `port=$(sed 's/.*"port":\\([0-9]*\\).*/\\1/' input)
printf '{"heard":"%s"}' "$(nc -w 5 localhost $port < /dev/null 2>/dev/null)" > output`,
  mirror: `cat input > output`,
  script:
    `sed 's/.*"script":"\\([^"]*\\)".*/\\1/' input | base64 -d > /tmp/script; exec sh -e /tmp/script`,
  mirror_and_crash: `cat input > output; exit 3`,
  slow: `sleep 4; echo '{"slow": true}' > output`,
  forever: `trap '' TERM; while :; do sleep 1; done`,
  fail: `echo "fails on purpose" >&2; exit 3`,
};

/**
 * Runs the method that its input names, or the input itself as a script, in the run's own folder. A
 * published image finds that folder by its variables; a shell cannot decode them.
 */
const COMMAND = `cd /mnt/data/task-* && case "$(head -c 1 input)" in
"{") exec sh -e /methods/$(head -c 1000 input | sed 's/.*"method":"\\([a-z_]*\\)".*/\\1/');;
*) exec sh ./input;;
esac`;

async function importShellImage(
  importImage: TestEngine["importImage"],
  folder: string,
): Promise<void> {
  for (const part of ["bin", "methods", "tmp"]) {
    await Deno.mkdir(join(folder, part), { recursive: true });
  }
  const which = await new Deno.Command("sh", { args: ["-c", "command -v busybox"] }).output();
  const busybox = new TextDecoder().decode(which.stdout).trim();
  await Deno.copyFile(busybox, join(folder, "bin/busybox"));
  const listed = await new Deno.Command(busybox, { args: ["--list"] }).output();
  for (const name of new TextDecoder().decode(listed.stdout).trim().split("\n")) {
    if (name !== "busybox") await Deno.symlink("busybox", join(folder, "bin", name));
  }
  await Deno.writeTextFile(join(folder, "command"), COMMAND);
  for (const [name, script] of Object.entries(METHODS)) {
    await Deno.writeTextFile(join(folder, "methods", name), script);
  }
  await importImage(SHELL_IMAGE, folder, [
    `CMD ["/bin/sh","/command"]`,
    "ENV PATH=/bin",
  ]);
}
