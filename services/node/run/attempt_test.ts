import assert from "node:assert/strict";
import type { AttemptId } from "../../../shared/node_protocol/values.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { dispatch } from "../../../tests/support/dispatch.ts";
import { OPEN_EXIT } from "../disclosure/exit.ts";
import { openHeld } from "../disclosure/held.ts";
import { KeyError } from "../encryption/keys.ts";
import { writePieces } from "../payload/pieces.ts";
import { openAuditLog } from "../record/audit_log.ts";
import { type Journal, openJournal } from "../record/journal.ts";
import { type AttemptTools, carryOut } from "./attempt.ts";
import { Interruption } from "./interruption.ts";
import type { Reporter } from "./reporter.ts";
import type { Execute, Execution, Runtime } from "./runtime.ts";
import { createSlots, holdSlot, type Slots } from "./slots.ts";

interface Site {
  folder: string;
  journal: Journal;
  slots: Slots;
  /** The attempts whose start was reported. */
  starts: AttemptId[];
  /** What was reported at the end. */
  reports: Record<string, unknown>[];
  /** Takes up again a run that the journal has as started. */
  takeUp(
    again: (signal: AbortSignal) => Execute,
    options: Pick<AttemptTools, "sealOf"> & { signal: AbortSignal },
  ): Promise<void>;
  /** With no runtime, and rules and a hub that allow everything. */
  tools: AttemptTools;
  /** Carries out an attempt from its beginning. */
  begin(runtime: Runtime): Promise<void>;
}

async function withSite(use: (site: Site) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  const journal = await openJournal(folder.path, { log: silentLogger });
  const audit = await openAuditLog(`${folder.path}/audit.log`);
  const held = await openHeld({ dataFolder: folder.path, journal, log: silentLogger });
  const reports: Record<string, unknown>[] = [];
  const starts: AttemptId[] = [];
  const slots = createSlots(1);
  const reporter = {
    start(attempt) {
      starts.push(attempt);
      return Promise.resolve({
        ok: true,
        input: "",
        input_via_http: false,
        input_blob: null,
        started_at: new Date().toISOString(),
      });
    },
    async finish(_attempt, path) {
      reports.push(JSON.parse(await Deno.readTextFile(path)));
      return { ok: true };
    },
  } as Partial<Reporter> as Reporter;
  const tools: AttemptTools = {
    admit: () => Promise.resolve({ allowed: true }),
    runtime: {} as Runtime,
    journal,
    reporter,
    dataFolder: folder.path,
    held,
    slots,
    audit,
    shareLogs: true,
    sealOf: () => Promise.resolve(null),
    log: silentLogger,
  };
  try {
    await use({
      folder: folder.path,
      journal,
      slots,
      starts,
      reports,
      tools,
      async begin(runtime) {
        await journal.accepted(dispatch);
        await carryOut({ dispatch, state: "accepted" }, {
          ...tools,
          runtime,
        }, new AbortController().signal);
      },
      async takeUp(again, { sealOf, signal }) {
        await journal.accepted(dispatch);
        await journal.started(dispatch);
        const runtime: Pick<Runtime, "reattach" | "exitOf"> = {
          reattach: (_, signal) => Promise.resolve(again(signal)),
          exitOf: () => OPEN_EXIT,
        };
        await carryOut({ dispatch, state: "started" }, {
          ...tools,
          admit: () => Promise.reject(new Error("not asked")),
          runtime: runtime as Runtime,
          sealOf,
        }, signal);
      },
    });
  } finally {
    held.close();
    await audit.close();
    await journal.close();
    await folder.remove();
  }
}

Deno.test("carryOut() lets a run that was taken up again be killed while the hub gives no key", async () => {
  await withSite(async ({ reports, takeUp }) => {
    const kill = new AbortController();
    const running = Promise.withResolvers<void>();
    const again = (signal: AbortSignal) => () => {
      const ended = Promise.withResolvers<Execution>();
      signal.addEventListener("abort", () => ended.reject(signal.reason));
      running.resolve();
      return ended.promise;
    };
    const sealOf = () => new Promise<never>(() => {});
    const over = takeUp(again, { sealOf, signal: kill.signal });
    await running.promise;
    kill.abort(new Interruption("killed", "by a user"));
    await over;
    assert.deepEqual(reports.map(({ status }) => status), ["killed by user"]);
  });
});

Deno.test("carryOut() ends a run that was taken up again without its result when there is no key for that", async () => {
  await withSite(async ({ folder, journal, reports, takeUp }) => {
    let released = 0;
    const result = await writePieces(`${folder}/output`, [new TextEncoder().encode("1")]);
    const again = () => () =>
      Promise.resolve<Execution>({
        status: "completed",
        result,
        log: "said",
        reason: null,
        release: () => Promise.resolve(void released++),
      });
    const sealOf = () => Promise.reject(new KeyError("Alpha has no public key."));
    await takeUp(again, { sealOf, signal: new AbortController().signal });
    const [report] = reports;
    assert.equal(reports.length, 1);
    assert.deepEqual([report!.status, report!.result, report!.log, report!.reason], [
      "failed",
      null,
      "said",
      "Alpha has no public key.",
    ]);
    assert.equal(released, 1);
    assert.equal(journal.open.size, 0);
  });
});

Deno.test("carryOut() reports no start while the run waits for its image, or for a slot after that", async () => {
  await withSite(async ({ slots, starts, reports, begin }) => {
    const image = Promise.withResolvers<void>();
    const fetching = Promise.withResolvers<void>();
    const over = begin({
      async fetch(_dispatch, _signal, hold) {
        fetching.resolve();
        await hold.without(() => image.promise);
        const run = { status: "completed", result: null, log: null, reason: null } as const;
        const execute = () => Promise.resolve(run);
        const specify = () => Promise.resolve({ execute, exit: OPEN_EXIT });
        return () => ({ code: Promise.resolve(undefined), specify });
      },
    });
    await fetching.promise;
    const other = await holdSlot(slots, new AbortController().signal);
    assert.deepEqual(starts, []);
    image.resolve();
    // Everything that is ready runs before a timer.
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual(starts, [], "it has its image, and another run has the slot");
    other.release();
    await over;
    assert.equal(starts.length, 1);
    assert.deepEqual(reports.map(({ status }) => status), ["completed"]);
  });
});

Deno.test("carryOut() tells the hub of a start, and makes nothing ready, only with a free slot", async () => {
  await withSite(async ({ journal, tools }) => {
    const { signal } = new AbortController();
    const slots = createSlots(1);
    await slots.take(signal);
    const waits = Promise.withResolvers<void>();
    const steps: string[] = [];
    await journal.accepted(dispatch);
    const over = carryOut({ dispatch, state: "accepted" }, {
      ...tools,
      slots: {
        ...slots,
        take(...options) {
          const taken = slots.take(...options).then(() => void steps.push("slot"));
          waits.resolve();
          return taken;
        },
      },
      reporter: {
        ...tools.reporter,
        start: () => {
          steps.push("start");
          return Promise.resolve({ ok: false, reason: "superseded" });
        },
      },
      runtime: {
        fetch: () =>
          Promise.resolve(() => {
            steps.push("prepare");
            return {
              code: Promise.resolve(undefined),
              specify: () => Promise.reject(new Error("not wanted")),
            };
          }),
      },
    }, signal);
    await waits.promise;
    assert.deepEqual(steps, [], "while another run has the slot");
    slots.release();
    await over;
    assert.deepEqual(steps, ["slot", "prepare", "start"]);
  });
});

Deno.test("carryOut() warns in the log when a tag means another image than the job's, and keeps it in the audit log", async () => {
  await withSite(async ({ folder, journal, tools, reports }) => {
    const [own, job] = ["a", "b"].map((letter) => `sha256:${letter.repeat(64)}`);
    const run = { status: "completed", result: null, log: "said", reason: null } as const;
    const execute = () => Promise.resolve(run);
    await journal.accepted(dispatch);
    await carryOut({ dispatch, state: "accepted" }, {
      ...tools,
      reporter: {
        ...tools.reporter,
        async start(attempt, signal) {
          assert.deepEqual([attempt.code, attempt.by_tag], [own, true]);
          const answer = await tools.reporter.start(attempt, signal);
          assert.ok(answer.ok);
          return { ...answer, job_code: job };
        },
      },
      runtime: {
        fetch: () =>
          Promise.resolve(() => ({
            code: Promise.resolve(own),
            byTag: true,
            specify: () => Promise.resolve({ execute, exit: OPEN_EXIT }),
          })),
      },
    }, new AbortController().signal);
    assert.match(
      reports[0]!.log as string,
      new RegExp(`^\\[Warning: the tag .* here it is ${own}, there ${job}\\..*\\]\nsaid$`),
    );
    const audit = await Deno.readTextFile(`${folder}/audit.log`);
    assert.match(audit, new RegExp(`"run started".*"code":"${own}".*"job_code":"${job}"`));
  });
});
