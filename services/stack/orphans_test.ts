import assert from "node:assert/strict";
import { temporaryFolder } from "../../tests/harness.ts";
import { recordProcess, stopOrphans } from "./orphans.ts";
import { startProcess } from "./process.ts";

Deno.test("stopOrphans() ends what still runs, by force when it must, and forgets it", async () => {
  const folder = await temporaryFolder();
  const obedient = startProcess({ command: "/bin/sleep", args: ["60"], env: {} });
  const stubborn = startProcess({
    command: "/bin/sh",
    args: ["-c", "trap '' TERM; echo set; while :; do sleep 0.05; done"],
    env: {},
    onLine: () => trapped.resolve(),
  });
  const trapped = Promise.withResolvers<void>();
  try {
    await trapped.promise;
    recordProcess(folder.path, "obedient", obedient.pid);
    recordProcess(folder.path, "stubborn", stubborn.pid);
    assert.deepEqual((await stopOrphans(folder.path, 100)).sort(), ["obedient", "stubborn"]);
    assert.equal((await obedient.exited).signal, "SIGTERM");
    assert.equal((await stubborn.exited).signal, "SIGKILL");
    assert.deepEqual(await stopOrphans(folder.path), []);
  } finally {
    await folder.remove();
  }
});

Deno.test("stopOrphans() leaves a process alone that only has the same number", async () => {
  const folder = await temporaryFolder();
  try {
    await Deno.writeTextFile(`${folder.path}/task`, `${Deno.pid} 1 another-boot`);
    assert.deepEqual(await stopOrphans(folder.path), []);
    assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  } finally {
    await folder.remove();
  }
});
