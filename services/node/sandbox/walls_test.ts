import assert from "node:assert/strict";
import { temporaryFolder } from "../../../tests/harness.ts";
import { behindWalls, createUsers, describeWalls, findWalls, type Walls } from "./walls.ts";

const NONE: Walls = {
  ownUser: undefined,
  setpriv: undefined,
  prlimit: undefined,
  setsid: undefined,
  noNetwork: undefined,
};
const LIMITS = { timeoutSeconds: 10, memoryMiB: 1024, outputMiB: 1 };

const walls = await findWalls();

/**
 * What a shell script prints behind the walls of this machine, which no permission of Deno's holds
 * back.
 */
async function behind(script: string, { walls: these = walls } = {}): Promise<string> {
  const uid = these.ownUser ? createUsers().take() : undefined;
  const { command, args, ...user } = behindWalls(these, ["/bin/sh", "-c", script], {
    uid,
    limits: LIMITS,
  });
  const options = { args, ...user, stdout: "piped", stderr: "null" } as const;
  // `output()` of a command would pass over `detached`.
  const { stdout } = await new Deno.Command(command, options).spawn().output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("describeWalls() says of each wall what it does or why it does not stand", async () => {
  const without = await describeWalls(NONE);
  assert.deepEqual(without.filter(({ stands }) => stands).map(({ name }) => name), ["permissions"]);
  assert.match(without.find(({ name }) => name === "network")!.note, /install util-linux/);
  for (const { note } of [...without, ...await describeWalls()]) assert.ok(note.length > 20);
});

Deno.test("behindWalls() changes nothing where there are no walls", () => {
  const command = behindWalls(NONE, ["deno", "run"], { uid: undefined, limits: LIMITS });
  assert.deepEqual(command, { command: "deno", args: ["run"], detached: true });
});

Deno.test("a process behind the walls leads a group of its own, also where Deno has to see to it", async () => {
  for (const setsid of new Set([walls.setsid, undefined])) {
    const [pid, group] =
      (await behind("read -r all < /proc/$$/stat; set -- ${all##*)}; echo $$ $3", {
        walls: { ...walls, setsid },
      })).split(/\s+/);
    assert.equal(pid, group);
  }
});

Deno.test("a process behind the walls has no network", { ignore: !walls.noNetwork }, async () => {
  const interfaces = (await behind("tail -n +3 /proc/net/dev")).split("\n");
  assert.deepEqual(interfaces.map((line) => line.split(":")[0]!.trim()), ["lo"]);
});

Deno.test("a process behind the walls cannot gain privileges and has none", {
  ignore: !walls.setpriv,
}, async () => {
  const status = await behind("cat /proc/self/status");
  assert.match(status, /^NoNewPrivs:\s*1$/m);
  assert.match(status, /^CapEff:\s*0+$/m);
  assert.match(status, /^CapPrm:\s*0+$/m);
});

Deno.test(
  "a process behind the walls is limited by the kernel",
  { ignore: !walls.prlimit },
  async () => {
    const limits = await behind("cat /proc/self/limits");
    assert.match(limits, /^Max data size\s+1073741824 /m);
    assert.match(limits, /^Max file size\s+0 /m);
    assert.match(limits, /^Max core file size\s+0 /m);
    const seconds = 10 * navigator.hardwareConcurrency;
    assert.match(limits, new RegExp(`^Max cpu time\\s+${seconds}\\s+${seconds + 5} `, "m"));
  },
);

Deno.test(
  "a process behind the walls is another user, who can read and signal nothing of the agent's",
  { ignore: !walls.ownUser },
  async () => {
    const { path, remove } = await temporaryFolder();
    try {
      await Deno.writeTextFile(`${path}/secret`, "secret", { mode: 0o600 });
      await Deno.mkdir(`${path}/private`, { mode: 0o700 });
      await Deno.writeTextFile(`${path}/private/secret`, "secret", { mode: 0o644 });
      const script = `id -u; id -g; id -G; cat ${path}/secret ${path}/private/secret;
      cat /proc/${Deno.pid}/environ; kill -0 ${Deno.pid} && echo signalled`;
      const [uid, gid, groups, ...more] = (await behind(script)).split("\n");
      assert.ok(Number(uid) >= 61184, uid);
      assert.equal(gid, uid);
      assert.equal(groups, uid);
      assert.deepEqual(more, []);
    } finally {
      await remove();
    }
  },
);

Deno.test("a process behind the walls is another user even where there is no setpriv", {
  ignore: Deno.uid() !== 0,
}, async () => {
  const ids = await behind("id -u; id -g; id -G", { walls: { ...NONE, ownUser: "deno" } });
  const [uid] = ids.split("\n");
  assert.ok(Number(uid) >= 61184, uid);
  assert.equal(ids, `${uid}\n${uid}\n${uid}`);
});

Deno.test("createUsers() gives no user twice until it is given back", () => {
  const users = createUsers(() => 0.999999);
  const count = 65519 - 61184 + 1;
  const taken = Array.from({ length: count }, () => users.take());
  assert.equal(new Set(taken).size, count);
  assert.ok(taken.every((uid) => uid >= 61184 && uid <= 65519));
  users.giveBack(taken[7]!);
  assert.equal(users.take(), taken[7]);
});
