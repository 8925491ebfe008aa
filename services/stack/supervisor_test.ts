import assert from "node:assert/strict";
import { temporaryFolder } from "../../tests/harness.ts";
import { startProcess } from "./process.ts";
import type { LogEntry } from "../../shared/service/log_text.ts";
import { createSupervisor, type Part, type Supervisor } from "./supervisor.ts";

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
) {
  const folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/run`);
  const log: string[] = [];
  const supervisor = createSupervisor({
    onEntry: (part: string, entry: LogEntry) => void log.push(`${part}: ${entry.message}`),
    runFolder: `${folder.path}/run`,
    stopDeadlineMs: 2000,
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

Deno.test("failed says which part died, how, and its last lines", () =>
  withSupervisor(async (supervisor, folder) => {
    await supervisor.start(0, patient("steady", `${folder}/stopped`));
    await supervisor.start(0, shellPart("weak", "echo the reason >&2; exit 3"));
    await assert.rejects(
      supervisor.failed,
      /The part "weak" has ended \(exit code 3\)[\s\S]*the reason/,
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
