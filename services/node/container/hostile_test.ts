/**
 * What an algorithm in a container may try: the node stays well, others finish, and the reason is
 * right.
 */
import assert from "node:assert/strict";
import { z } from "zod";
import { temporaryFolder } from "../../../tests/harness.ts";
import { LIMITS, withContainers } from "../../../tests/support/contained.ts";
import { containerTest, useTestEngine } from "../../../tests/support/container_engine.ts";
import { memoryUsed } from "../../../tests/support/memory.ts";
import type { RunSpec } from "./run_spec.ts";

const testEngine = useTestEngine();

interface Attack {
  what: string;
  script: string;
  status: string;
  reason: RegExp;
  run?: Partial<RunSpec>;
}

const ATTACKS: Attack[] = [
  {
    what: "an endless loop that ignores SIGTERM",
    script: "trap '' TERM INT HUP; while :; do :; done",
    status: "failed",
    reason: /longer than the 3 seconds/,
    run: { limits: { ...LIMITS, timeoutSeconds: 3 } },
  },
  {
    what: "more memory than it has",
    // Of the shell itself, so that the kernel takes the container's first process.
    script: "x=0123456789abcdef; while :; do x=$x$x; done",
    status: "crashed",
    reason: /was killed .*for want of memory, of which this node gives it 64 MiB/,
  },
  {
    what: "a fork bomb",
    // What started it needs no process more, and so lives on.
    script: "f() { f | f & }; f; exec sleep 60",
    status: "failed",
    reason: /longer than the 4 seconds/,
    run: { limits: { ...LIMITS, timeoutSeconds: 4 } },
  },
  {
    what: "1 GB of output",
    script: "head -c 1000000000 /dev/zero > output; sleep 60",
    status: "failed",
    reason: /larger than the 1 MiB/,
  },
  {
    what: "more files than it has room for",
    script:
      "mkdir /mnt/tmp/d; while :; do head -c 5000000 /dev/zero >> /mnt/tmp/d/$((n=n+1)); done",
    status: "failed",
    reason: /more than the 64 MiB of files/,
  },
  {
    what: "a flood of its own root file system",
    script: "mkdir /tmp/d; while :; do head -c 5000000 /dev/zero > /tmp/d/$((n=n+1)); done",
    status: "failed",
    reason: /more than the 64 MiB of files/,
  },
  {
    what: "a part of its room in each place",
    script:
      "head -c 40000000 /dev/zero > /mnt/tmp/x; head -c 40000000 /dev/zero > /tmp/x; exec sleep 60",
    status: "failed",
    reason: /more than the 64 MiB of files/,
  },
  {
    what: "a file without a name that grows",
    script: "exec 3> /mnt/tmp/x; rm /mnt/tmp/x; head -c 90000000 /dev/zero >&3; sleep 60",
    status: "failed",
    reason: /more than the 64 MiB of files/,
  },
  {
    what: "a flood that lies too deep to be counted",
    script: `n=$(printf %0200d 0); d=/mnt/tmp; cd $d; i=0
while [ $((i=i+1)) -le 30 ]; do mkdir $n; cd $n; done; head -c 90000000 /dev/zero > x; exec sleep 60`,
    status: "failed",
    reason: /cannot be counted: one of them lies too deep/,
  },
  {
    what: "more shared memory than its half of the memory",
    script: "head -c 40000000 /dev/zero > /dev/shm/x || exit 7",
    status: "crashed",
    reason: /exit code 7/,
  },
  {
    what: "a link in place of its output",
    script: "rm output; ln -s /etc/hostname output",
    status: "completed",
    reason: /^$/,
  },
];

for (const { what, script, status, reason, run: options } of ATTACKS) {
  Deno.test(containerTest(`Containers withstand ${what}, and another run finishes`), async () => {
    await withContainers(testEngine(), async ({ run, start }) => {
      const attack = await start(script, options);
      const other = await run("echo 1 > output");
      assert.deepEqual([other.status, other.text], ["completed", "1\n"], other.reason ?? "");
      const outcome = await attack.done;
      assert.equal(outcome.status, status, `${outcome.reason} ${outcome.log.slice(0, 300)}`);
      assert.match(outcome.reason ?? "", reason);
      assert.equal(outcome.result, null);
      await outcome.release?.();
      assert.deepEqual(await testEngine().running(), []);
    });
  });
}

Deno.test(
  containerTest("Containers withstand 250 MB on standard output, of which they keep a part"),
  async () => {
    await withContainers(testEngine(), async ({ run }) => {
      const before = memoryUsed();
      const outcome = await run("yes 0123456789abcdef | head -c 250000000; echo 1 > output", {
        limits: { ...LIMITS, timeoutSeconds: 120 },
      });
      assert.equal(outcome.status, "completed", outcome.reason ?? "");
      assert.ok(outcome.log.length < 2 ** 20 + 1000);
      assert.match(outcome.log, /0123456789abcdef\n/);
      assert.ok(memoryUsed() - before < 100 * 2 ** 20);
    });
  },
);

Deno.test(
  containerTest("Containers see neither other runs, nor the engine, nor the machine"),
  async () => {
    await withContainers(testEngine(), async ({ start, run, folder }) => {
      const other = await start("echo hidden > /mnt/tmp/x; while :; do sleep 1; done");
      const { log } = await run(`
      ls /mnt/data | wc -l
      find / -name '*.sock' -not -path '/proc/*' 2>/dev/null; find / -name hidden 2>/dev/null
      ls /proc | grep -c '^[0-9]'
      mount -t tmpfs none /mnt 2>&1; mknod /tmp/sda b 8 0 2>&1; chroot / true 2>&1
      echo x > /proc/sysrq-trigger; echo x > /sys/kernel/uevent_helper
      ls ${folder} ${testEngine().socket} /var/run/docker.sock 2>&1
      kill -9 $(ls /proc | grep '^[0-9]' | grep -v "^1$\\|^$$\\$") 2>&1; true`);
      const lines = log.split("\n");
      assert.equal(lines.filter((line) => line === "1").length >= 1, true, log);
      assert.equal(
        log.match(/denied|not permitted|Read-only|nonexistent/gi)!.length >= 5,
        true,
        log,
      );
      assert.equal(log.match(/No such file/g)!.length, 3, log);
      assert.doesNotMatch(log, /podman\.sock\n(?!.*No such)/);
      await other.kill();
      assert.equal((await other.done).status, "killed by user");
    });
  },
);

Deno.test(
  containerTest("Containers withstand a flood of a volume that the image declares"),
  async () => {
    const folder = await temporaryFolder();
    await Deno.mkdir(`${folder.path}/bin`);
    const which = await new Deno.Command("sh", { args: ["-c", "command -v busybox"] }).output();
    const busybox = new TextDecoder().decode(which.stdout).trim();
    await Deno.copyFile(busybox, `${folder.path}/bin/busybox`);
    await testEngine().importImage("localhost/sextant-test-volume", folder.path, [
      "VOLUME /scratch",
      `CMD ["/bin/busybox","sh","-c","/bin/busybox head -c 90000000 /dev/zero > /scratch/x; exec /bin/busybox sleep 60"]`,
    ]);
    await withContainers(testEngine(), async ({ run, containers }) => {
      const { signal } = new AbortController();
      const { id: imageId } = await containers.images.get("localhost/sextant-test-volume", {
        signal,
      });
      const outcome = await run("", { imageId });
      assert.equal(outcome.status, "failed", outcome.reason ?? "");
      assert.match(outcome.reason!, /more than the 64 MiB of files/);
    });
    const volumes = z.object({ Volumes: z.array(z.unknown()).nullable() });
    assert.deepEqual(
      (await testEngine().engine.json("GET", "/volumes", volumes)).Volumes ?? [],
      [],
    );
    await folder.remove();
  },
);

Deno.test(containerTest("Containers of many runs go on side by side"), async () => {
  await withContainers(testEngine(), async ({ run }) => {
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, index) => run(`sleep 1; echo ${index} > output`)),
    );
    assert.deepEqual(outcomes.map(({ text }) => text), ["0\n", "1\n", "2\n", "3\n", "4\n", "5\n"]);
  });
});
