/** Engine and agent as an ordinary user: the same walls stand, and the same ways lead out. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "../../../tests/harness.ts";
import {
  asUser,
  containerTest,
  type EngineUser,
  SHELL_IMAGE,
  startTestEngine,
} from "../../../tests/support/container_engine.ts";
import { packagesForAll } from "../../../tests/support/shell.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const user = containerTest("").ignore ? undefined : await findUser();

/** An account of this machine that may make namespaces and read this checkout. */
async function findUser(): Promise<EngineUser | undefined> {
  for (const name of ["games", "daemon"]) {
    const id = await new Deno.Command("id", { args: ["-u", name] }).output();
    if (!id.success) continue;
    const one = { name, uid: Number(new TextDecoder().decode(id.stdout)) };
    const [command, ...args] = asUser(one);
    const look = ["unshare", "-Ur", "cat", `${ROOT}deno.json`, Deno.execPath()];
    const { success } = await new Deno.Command(command!, { args: [...args, ...look] }).output();
    if (success) return one;
  }
  console.log(
    "Tests of a rootless engine are skipped: they need the user games or daemon, namespaces for it, and a checkout that it can read",
  );
}

Deno.test({
  name:
    "Containers of a rootless engine and an agent without root reach what they may, within their room",
  ignore: !user,
  async fn() {
    const engine = await startTestEngine(user!);
    const folder = await temporaryFolder();
    try {
      const cache = `${folder.path}/deno`;
      await Deno.mkdir(cache);
      await packagesForAll(cache);
      for (const path of [folder.path, cache]) await Deno.chown(path, user!.uid, null);
      const [command, ...args] = asUser(user!);
      const script = `${ROOT}tests/support/rootless_runs.ts`;
      const scripts = [
        `wget -qO- http://127.0.0.1/x; nc -w 5 db.example 5432 < /dev/null
        nc -w 5 192.0.2.7 99 < /dev/null; nc -w 2 db.example 5433 < /dev/null 2> /dev/null || echo no other
        ls /sys/class/net; grep CapEff /proc/self/status; echo 1 > output; echo 2 > /mnt/tmp/x`,
        "while :; do head -c 5000000 /dev/zero > /flood$((n=n+1)); done",
        "echo 1 > output; mkdir closed; chmod 000 closed; sleep 2",
        "mkdir hidden; head -c 90000000 /dev/zero > hidden/x; chmod 000 hidden; exec sleep 30",
      ];
      const text = await succeeds(command!, [
        ...args,
        Deno.execPath(),
        "run",
        "-A",
        "--no-check",
        "--cached-only",
        `--config=${ROOT}deno.json`,
        script,
        engine.socket,
        `${folder.path}/data`,
        SHELL_IMAGE,
        ...scripts,
      ], { DENO_DIR: cache, HOME: folder.path });
      const [good, flood, closed, hidden] = text.trim().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual([good.uid, good.status, good.result], [user!.uid, "completed", "1\n"], text);
      assert.match(good.log, /from the proxy\nthe database\nthe database\n/);
      assert.match(good.log, /no other\nlo\nCapEff:\s0{16}/);
      assert.equal(flood.status, "failed");
      assert.match(flood.reason, /more than the 64 MiB of files/);
      assert.equal(closed.status, "completed", closed.reason ?? "");
      assert.match(hidden.reason ?? "", /more than the 64 MiB of files/);
      assert.deepEqual(await engine.running(), []);
    } finally {
      await engine.stop();
      await folder.remove();
    }
  },
});

async function succeeds(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, env }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}
