import assert from "node:assert/strict";
import { findProgram, startProcess } from "./process.ts";

function shell(script: string, onLine?: (line: string) => void) {
  return startProcess({
    command: "/bin/sh",
    args: ["-c", script],
    env: {},
    ...(onLine ? { onLine } : {}),
  });
}

Deno.test("startProcess() hands over the lines of both outputs and keeps the last ones", async () => {
  const lines: string[] = [];
  const process = shell("echo out; echo err >&2; seq 1 60; printf end", (line) => lines.push(line));
  assert.equal((await process.exited).code, 0);
  assert.equal(lines.length, 63);
  assert.ok(lines.includes("out") && lines.includes("err"));
  assert.equal(process.lastLines().length, 40);
  assert.equal(process.lastLines().at(-1), "end");
});

Deno.test("startProcess() passes on nothing of its own environment", async () => {
  const process = startProcess({ command: "/usr/bin/env", env: { ONLY: "this" } });
  await process.exited;
  assert.deepEqual(process.lastLines(), ["ONLY=this"]);
});

Deno.test("stop() asks first and kills after the deadline", async () => {
  const polite = shell("sleep 60");
  assert.equal(await polite.stop(5000), true);
  const ready = Promise.withResolvers<void>();
  const deaf = shell("trap '' TERM; echo; while :; do sleep 0.05; done", () => ready.resolve());
  await ready.promise;
  assert.equal(await deaf.stop(50), false);
  assert.equal((await deaf.exited).signal, "SIGKILL");
});

Deno.test("exited resolves though a grandchild keeps the output open", async () => {
  const ready = Promise.withResolvers<number>();
  const process = shell("sleep 60 & echo $!", (line) => ready.resolve(Number(line)));
  const grandchild = await ready.promise;
  try {
    assert.equal((await process.exited).code, 0);
  } finally {
    Deno.kill(grandchild, "SIGKILL");
  }
});

Deno.test({
  name: "startProcess() has the kernel end the child of a launcher that is killed",
  ignore: !findProgram("setpriv"),
  async fn() {
    const script = `
      import { startProcess } from ${JSON.stringify(import.meta.resolve("./process.ts"))};
      const child = startProcess({ command: "/bin/sleep", args: ["60"], env: {} });
      console.log(child.pid);
      await child.exited;`;
    const pid = Promise.withResolvers<number>();
    const launcher = startProcess({
      command: Deno.execPath(),
      args: ["run", "-A", "--no-lock", `data:text/typescript,${encodeURIComponent(script)}`],
      env: { PATH: Deno.env.get("PATH") ?? "", HOME: Deno.env.get("HOME") ?? "/" },
      onLine: (line) => pid.resolve(Number(line)),
    });
    const child = await pid.promise;
    // A moment for setpriv to become the program.
    while (!Deno.readTextFileSync(`/proc/${child}/cmdline`).startsWith("/bin/sleep")) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    launcher.signal("SIGKILL");
    await launcher.exited;
    for (let alive = true; alive;) {
      try {
        alive = !Deno.readTextFileSync(`/proc/${child}/stat`).includes(") Z ");
        await new Promise((resolve) => setTimeout(resolve, 5));
      } catch {
        alive = false;
      }
    }
  },
});
