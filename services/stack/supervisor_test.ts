import assert from "node:assert/strict";
import { temporaryFolder, waitFor } from "../../tests/harness.ts";
import { startProcess } from "./process.ts";
import type { LogEntry } from "../../shared/service/log_text.ts";
import {
  createSupervisor,
  type Part,
  type Supervisor,
  type SupervisorOptions,
} from "./supervisor.ts";

function shellPart(name: string, script: string): Part {
  return {
    name,
    format: "json",
    async start({ onLine, onProcess }) {
      const begun = Promise.withResolvers<void>();
      const process = startProcess({
        command: "/bin/sh",
        args: ["-c", script],
        env: { PATH: "/usr/bin:/bin" },
        onLine(line) {
          begun.resolve();
          onLine(line);
        },
      });
      onProcess(process);
      await begun.promise;
    },
  };
}

/** Starts like the part above but dies and is started once more before it is ready. */
function hesitant(name: string, script: string): Part {
  const sure = shellPart(name, script);
  return {
    ...sure,
    async start(hooks) {
      const first = startProcess({ command: "/bin/false", env: {} });
      hooks.onProcess(first);
      await first.exited;
      await sure.start(hooks);
    },
  };
}

/** Lasts until it is asked to stop, then leaves its name in `file`. */
function patient(name: string, file: string): Part {
  const onStop = `echo ${name} >> ${file}; exit 0`;
  return shellPart(name, `trap '${onStop}' TERM; echo begun; while :; do sleep 0.02; done`);
}

async function withSupervisor(
  body: (supervisor: Supervisor, folder: string, log: string[]) => Promise<void>,
  options: Partial<SupervisorOptions> = {},
) {
  const folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/run`);
  const log: string[] = [];
  const supervisor = createSupervisor({
    onEntry: (part: string, entry: LogEntry) => void log.push(`${part}: ${entry.message}`),
    runFolder: `${folder.path}/run`,
    stopDeadlineMs: 2000,
    restartPausesMs: [10, 20],
    ...options,
  });
  try {
    await body(supervisor, folder.path, log);
  } finally {
    await supervisor.stop();
    assert.deepEqual([...Deno.readDirSync(`${folder.path}/run`)], []);
    await folder.remove();
  }
}

Deno.test("stop() stops the tier with the highest number first", () =>
  withSupervisor(async (supervisor, folder) => {
    const file = `${folder}/stopped`;
    await supervisor.start(1, patient("second", file));
    await supervisor.start(2, patient("third", file));
    await supervisor.start(0, patient("first", file));
    await supervisor.stop();
    assert.equal(await Deno.readTextFile(file), "third\nsecond\nfirst\n");
  }));

Deno.test("a part that dies is started again, which is said, and stays", () =>
  withSupervisor(async (supervisor, folder, log) => {
    const once =
      `[ -e ${folder}/died ] && { echo up; exec sleep 60; }; touch ${folder}/died; echo up; `;
    await supervisor.start(0, shellPart("unlucky", `${once} echo the reason; exit 3`));
    await waitFor(() => log.includes("unlucky: It runs again"), { what: "its second start" });
    const said = log.find((line) => line.includes("has ended"))!;
    assert.match(said, /\(exit code 3\)[\s\S]*the reason[\s\S]*started again in 0\.01 s/);
    assert.ok(supervisor.part("unlucky").pid > 0);
  }));

Deno.test("a part that is killed again and again is started again when it had run for long enough", () =>
  withSupervisor(async (supervisor, _, log) => {
    await supervisor.start(0, shellPart("victim", "echo up; exec sleep 60"));
    for (let kills = 1; kills <= 4; kills++) {
      const { pid } = supervisor.part("victim");
      Deno.kill(pid, "SIGKILL");
      await waitFor(() => log.filter((line) => line.endsWith("runs again")).length === kills, {
        what: `start ${kills}`,
      });
    }
  }, { settledMs: 0 }));

Deno.test("a part that the others can do without is given up alone", () =>
  withSupervisor(async (supervisor, folder, log) => {
    await supervisor.start(0, patient("steady", `${folder}/stopped`));
    await supervisor.start(1, { ...shellPart("node", "echo up; exit 1"), optional: true });
    await waitFor(() => log.some((line) => /^node: .*left alone now/s.test(line)), {
      what: "the end of the starts",
    });
    assert.ok(supervisor.part("steady").pid > 0);
    assert.throws(() => supervisor.part("node").pid, /is not running/);
  }));

Deno.test("stop() ends the pause before a part would be started again", () =>
  withSupervisor(async (supervisor, _, log) => {
    await supervisor.start(0, shellPart("weak", "echo up; exit 1"));
    await waitFor(() => log.some((line) => line.includes("started again")), { what: "its end" });
    await supervisor.stop();
    assert.ok(!log.includes("weak: It runs again"));
  }, { restartPausesMs: [600_000] }));

Deno.test("failed says which part died for good, how, and its last lines", () =>
  withSupervisor(async (supervisor, folder) => {
    await supervisor.start(0, patient("steady", `${folder}/stopped`));
    await supervisor.start(0, shellPart("weak", "echo the reason >&2; exit 3"));
    await assert.rejects(
      supervisor.failed,
      /The part "weak" has ended \(exit code 3\)[\s\S]*the reason[\s\S]*again 2 times in vain/,
    );
  }));

Deno.test("start() leaves it to a part to try again while it starts", () =>
  withSupervisor(async (supervisor) => {
    await supervisor.start(0, hesitant("late", "echo up; sleep 60"));
    assert.ok(supervisor.part("late").pid > 0);
    await supervisor.part("late").kill9();
  }));

Deno.test("stop() ends a part that is still starting", () =>
  withSupervisor(async (supervisor) => {
    const running = Promise.withResolvers<void>();
    const start = supervisor.start(0, {
      name: "slow",
      format: "json",
      async start({ onProcess }) {
        const process = startProcess({ command: "/bin/sleep", args: ["60"], env: {} });
        onProcess(process);
        running.resolve();
        await process.exited;
        throw new Error("it was ended");
      },
    });
    const refused = assert.rejects(start, /it was ended/);
    await running.promise;
    await supervisor.stop();
    await refused;
  }));

Deno.test("kill9() and restart() of a part leave the others alone", () =>
  withSupervisor(async (supervisor, folder) => {
    await supervisor.start(0, patient("one", `${folder}/x`), patient("two", `${folder}/x`));
    const other = supervisor.part("two").pid;
    const before = supervisor.part("one").pid;
    await supervisor.part("one").kill9();
    assert.throws(() => supervisor.part("one").pid, /is not running/);
    await supervisor.part("one").restart();
    assert.notEqual(supervisor.part("one").pid, before);
    assert.equal(supervisor.part("two").pid, other);
  }));

Deno.test("start() hands on why a part did not come up", () =>
  withSupervisor(async (supervisor) => {
    const start = () => Promise.reject(new Error("no such program"));
    await assert.rejects(
      supervisor.start(0, { name: "broken", format: "json", start }),
      /no such program/,
    );
  }));
