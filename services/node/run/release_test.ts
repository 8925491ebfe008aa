import assert from "node:assert/strict";
import type { ReportAnswer } from "../../../shared/node_protocol/reports.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { dispatch } from "../../../tests/support/dispatch.ts";
import { type Exit, OPEN_EXIT } from "../disclosure/exit.ts";
import { type Held, openHeld } from "../disclosure/held.ts";
import { runHeld, type Said } from "../disclosure/held_commands.ts";
import { heldFolder, resultPath } from "../disclosure/held_files.ts";
import { PROFILES } from "../disclosure/rules.ts";
import { KeyError } from "../encryption/keys.ts";
import { writePieces } from "../payload/pieces.ts";
import { type AuditLog, openAuditLog } from "../record/audit_log.ts";
import { type Journal, openJournal } from "../record/journal.ts";
import { type AttemptTools, carryOut } from "./attempt.ts";
import { Interruption } from "./interruption.ts";
import type { Reporter } from "./reporter.ts";
import type { Execution, Runtime } from "./runtime.ts";
import { createSlots, type Slots } from "./slots.ts";

const WHY = "This algorithm is not in disclosure.trusted.";
const RESULT = '{"mean":41.5}';
const about = { result_id: dispatch.result_id, attempt: dispatch.attempt };

/** One life of an agent on a data folder, as far as attempts are concerned. */
interface Life {
  journal: Journal;
  held: Held;
  slots: Slots;
  /** What was reported, in order: `start`, `held`, `finish`. */
  told: { kind: string; body: Record<string, unknown> }[];
  /** Begins, or goes on with what the journal has. */
  carryOut(signal?: AbortSignal): Promise<void>;
  /** As after `kill -9`: nothing is said or written any more. */
  end(): Promise<void>;
}

interface Site {
  path: string;
  live(options?: Partial<AttemptTools> & { hub?: ReportAnswer<"held"> | "unheard" }): Promise<Life>;
  /** The owner's command. */
  type(...words: string[]): Promise<Said>;
  audit(): Promise<Record<string, unknown>[]>;
}

async function withSite(use: (site: Site) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  const { path } = folder;
  const lives: Life[] = [];
  async function live(
    { hub = { ok: true as const }, ...options }: Parameters<Site["live"]>[0] = {},
  ): Promise<Life> {
    const journal = await openJournal(path, { log: silentLogger });
    const audit: AuditLog = await openAuditLog(`${path}/audit.log`);
    const held = await openHeld({ dataFolder: path, journal, log: silentLogger });
    const slots = createSlots(1);
    const told: Life["told"] = [];
    const reporter = {
      start(body) {
        told.push({ kind: "start", body });
        const started_at = new Date().toISOString();
        const input = { input: "", input_via_http: false, input_blob: null };
        return Promise.resolve({ ok: true, ...input, started_at });
      },
      held(body) {
        told.push({ kind: "held", body });
        return Promise.resolve(hub);
      },
      async finish(_attempt, path) {
        told.push({ kind: "finish", body: JSON.parse(await Deno.readTextFile(path)) });
        return { ok: true };
      },
    } as Partial<Reporter> as Reporter;
    const tools: AttemptTools = {
      admit: () => Promise.resolve({ allowed: true }),
      runtime: runtimeOf(path),
      dataFolder: path,
      journal,
      reporter,
      held,
      slots,
      audit,
      shareLogs: true,
      sealOf: () => Promise.resolve(null),
      log: silentLogger,
      ...options,
    };
    const stopped = new AbortController();
    const running = new Set<Promise<void>>();
    let ended = false;
    const life: Life = {
      journal,
      held,
      slots,
      told,
      carryOut(signal = new AbortController().signal) {
        const entry = journal.open.get("7-1");
        const accepted = entry ? Promise.resolve() : journal.accepted(dispatch);
        const run = accepted.then(() =>
          carryOut(
            entry ?? { dispatch, state: "accepted" },
            tools,
            AbortSignal.any([signal, stopped.signal]),
          )
        );
        running.add(run.catch(() => {}));
        return run;
      },
      async end() {
        if (ended) return;
        ended = true;
        stopped.abort(new Interruption("handed over", "killed"));
        await Promise.all(running);
        held.close();
        await audit.close();
        await journal.close();
      },
    };
    lives.push(life);
    return life;
  }
  try {
    await use({
      path,
      live,
      type: (...words) => {
        const at = words.indexOf("--reason");
        const reason = at < 0 ? undefined : words[at + 1];
        const rest = at < 0 ? words : words.slice(0, at);
        return runHeld({ dataFolder: path, words: rest, reason });
      },
      audit: async () =>
        (await Deno.readTextFile(`${path}/audit.log`)).trim().split("\n").map((line) =>
          JSON.parse(line)
        ),
    });
  } finally {
    for (const life of lives) await life.end();
    await folder.remove();
  }
}

/** Returns {@linkcode RESULT}, which is held, unless its end is another. */
function runtimeOf(
  path: string,
  { end = {}, onEnd = () => Promise.resolve() }: {
    end?: Partial<Execution>;
    onEnd?: () => Promise<void>;
  } = {},
): Runtime {
  const exit: Exit = {
    ...OPEN_EXIT,
    rules: { profile: "datashield", persons: null, ...PROFILES.datashield },
    standing: "held",
    words: "none",
    waits: WHY,
    decide: () => Promise.reject(new Error("nothing is to be decided")),
  };
  return {
    fetch: () =>
      Promise.resolve(() => ({
        code: Promise.resolve(`sha256:${"a".repeat(64)}`),
        specify: () =>
          Promise.resolve({
            method: "mean",
            exit,
            async execute() {
              const bytes = new TextEncoder().encode(RESULT);
              const result = await writePieces(`${path}/output`, [bytes]);
              const release = () => Deno.remove(`${path}/output`);
              await onEnd();
              return { status: "completed", result, log: "said", reason: null, release, ...end };
            },
          }),
      })),
  };
}

const isHeld = (life: Life) =>
  waitFor(() => life.held.has(about), { what: "the result to be held" });
const kinds = (life: Life) => life.told.map(({ kind }) => kind);
const filesOf = async (path: string) =>
  (await Array.fromAsync(Deno.readDir(heldFolder(path)))).map(({ name }) => name).sort();

Deno.test("carryOut() keeps a result that is held until its owner releases it, and takes no slot meanwhile", async () => {
  await withSite(async ({ path, live, type, audit }) => {
    const life = await live();
    const over = life.carryOut();
    await isHeld(life);
    await waitFor(() => life.told.length === 2, { what: "the hub to be told" });
    assert.deepEqual(kinds(life), ["start", "held"]);
    await life.slots.take(AbortSignal.timeout(1000));
    await assert.rejects(Deno.stat(`${path}/output`), Deno.errors.NotFound);
    assert.deepEqual(await filesOf(path), ["7-1.json", "7-1.result"]);

    const list = await type();
    for (
      const part of ["7  since", "user 1 of organization 2", "task       5", dispatch.image, WHY]
    ) assert.ok(list.text.includes(part), part);
    assert.match(list.text, /code {7}sha256:a{64}\n.*method {5}mean\n/);
    assert.ok(!list.text.includes("41.5"));
    assert.match((await type("show", "7")).text, /\{\n {2}"mean": 41\.5\n\}/);

    const said = await type("release", "7", "--reason", "means of 100 rows");
    assert.deepEqual([said.code, /^Run 7 is released/.test(said.text)], [0, true]);
    await over;
    assert.deepEqual(kinds(life), ["start", "held", "finish"]);
    const { status, result, log } = life.told[2]!.body;
    assert.deepEqual([status, atob(result as string), log], ["completed", RESULT, "said"]);
    assert.equal(life.journal.open.size, 0);
    assert.deepEqual(await filesOf(path), []);

    const records = await audit();
    assert.deepEqual(records.map(({ event }) => event), [
      "task received",
      "run started",
      "disclosure",
      "run ended",
      "result held",
      "held result released",
      "report leaves",
    ]);
    assert.equal(records[5]!.reason, "means of 100 rows");
    assert.equal(records[5]!.result_bytes, RESULT.length);
    assert.ok(!JSON.stringify(records).includes("41.5"));
  });
});

Deno.test("carryOut() tells the researcher why the owner refused a held result, and nothing of it", async () => {
  await withSite(async ({ path, live, type, audit }) => {
    const life = await live();
    const over = life.carryOut();
    await isHeld(life);
    assert.equal((await type("refuse", "7", "--reason", "one patient can be seen")).code, 0);
    await over;
    const { status, result, log, reason } = life.told.at(-1)!.body;
    assert.deepEqual([status, result, log], ["not allowed", null, null]);
    assert.equal(reason, `Refused at release: one patient can be seen (It was held: ${WHY})`);
    assert.deepEqual(await filesOf(path), []);
    assert.ok((await audit()).some(({ event }) => event === "held result refused"));
  });
});

/** Ends among which an algorithm that has seen rows can choose. */
const ENDS: Record<string, Partial<Execution>> = {
  "with a result": {},
  "without one": { result: null },
  "with an exit code": { status: "crashed", reason: "It ended with exit code 3." },
  "with an exit code and without a result": { status: "crashed", result: null, reason: "3" },
  "by an error": { status: "crashed", result: null, reason: "at line 7", said: "Ann is 41" },
  "at a limit": { status: "failed", result: null, reason: "It took too long." },
  "with a result that is lost": {
    result: { path: "/nowhere", size: RESULT.length, sha256: "0".repeat(64) },
  },
  "before it began": { status: "start failed", result: null, reason: "It cannot be loaded." },
};

Deno.test("However a held run ends, until a person decides the hub reads the same of it", async () => {
  const heard = new Set<string>();
  for (const [how, end] of Object.entries(ENDS)) {
    await withSite(async ({ path, live, type }) => {
      const life = await live({ runtime: runtimeOf(path, { end }), shareLogs: false });
      const over = life.carryOut();
      await isHeld(life);
      await waitFor(() => life.told.length === 2, { what: `the hub to be told of one ${how}` });
      const { since, ...held } = life.told[1]!.body;
      assert.ok(since);
      const { ended } = (await life.held.read(about)).note;
      const isWhole = end.status === undefined && end.result?.path !== "/nowhere";
      assert.equal(ended === null, isWhole, `${how}: ${ended}`);
      const { text } = await type("show", "7");
      assert.ok(text.includes(`${end.said ?? end.reason ?? WHY}`), `${how}: ${text}`);
      await type("refuse", "7", "--reason", "no");
      await over;
      const { agent_id: _, ...finish } = life.told[2]!.body;
      heard.add(JSON.stringify([kinds(life), held, finish]));
    });
  }
  assert.equal(heard.size, 1, [...heard].join("\n"));
});

Deno.test("A held run that failed says when it is released that it did, and not why", async () => {
  for (const how of ["by an error", "at a limit", "with an exit code"]) {
    await withSite(async ({ path, live, type }) => {
      const end = ENDS[how]!;
      const life = await live({ runtime: runtimeOf(path, { end }), shareLogs: false });
      const over = life.carryOut();
      await isHeld(life);
      await type("release", "7", "--reason", "fine");
      await over;
      const { status, result, reason, log } = life.told.at(-1)!.body;
      const left = end.result === null ? null : RESULT;
      assert.deepEqual([status, result && atob(result as string), log], ["failed", left, null]);
      assert.match(String(reason), /^The run did not complete; why stays at this site/);
      assert.equal(life.journal.open.size, 0);
    });
  }
});

Deno.test("A held result survives its agent, and is released once by the next one", async () => {
  await withSite(async ({ path, live, type }) => {
    const first = await live();
    void first.carryOut();
    await isHeld(first);
    await first.end();
    // Also when the journal is written anew, as it is at every start.
    await (await live()).end();
    const { text } = await type("release", "7", "--reason", "looked at");
    assert.match(text, /when the agent runs again; it does not now/);

    const second = await live();
    assert.equal(second.journal.open.get("7-1")!.state, "held");
    await second.carryOut();
    assert.deepEqual(kinds(second).filter((kind) => kind === "finish"), ["finish"]);
    assert.equal(atob(second.told.at(-1)!.body.result as string), RESULT);
    await second.end();

    const third = await live();
    assert.equal(third.journal.open.size, 0);
    assert.deepEqual(await filesOf(path), []);
  });
});

Deno.test("A held result whose release was noted and not reported is reported by the next agent", async () => {
  await withSite(async ({ path, live, type }) => {
    const first = await live();
    void first.carryOut();
    await isHeld(first);
    await first.end();
    await type("release", "7", "--reason", "looked at");
    const dying = {
      held: () => Promise.resolve({ ok: true }),
      finish: () => Promise.reject(new Error("killed")),
    } as Partial<Reporter> as Reporter;
    const second = await live({ reporter: dying });
    await assert.rejects(second.carryOut(), /^Error: killed$/);
    assert.equal(second.journal.open.get("7-1")!.state, "finished");
    await second.end();
    const third = await live();
    assert.deepEqual(await filesOf(path), []);
    await third.carryOut();
    assert.deepEqual(kinds(third), ["finish"]);
    assert.equal(atob(third.told[0]!.body.result as string), RESULT);
    assert.equal(third.journal.open.size, 0);
  });
});

Deno.test("openHeld() removes what a crash has left before the journal had it", async () => {
  await withSite(async ({ path, live }) => {
    const life = await live();
    await life.end();
    for (const name of ["9-1.json", "9-1.result", "9-1.decision", "9-1.json.new", "x"]) {
      await Deno.writeTextFile(`${heldFolder(path)}/${name}`, "{}");
    }
    await live();
    assert.deepEqual(await filesOf(path), []);
  });
});

Deno.test("A kill ends a held result, which leaves nothing but that", async () => {
  await withSite(async ({ path, live, type, audit }) => {
    const life = await live();
    const kill = new AbortController();
    const over = life.carryOut(kill.signal);
    await isHeld(life);
    kill.abort(new Interruption("killed", "The run was killed by a user."));
    await over;
    const { status, result } = life.told.at(-1)!.body;
    assert.deepEqual([status, result], ["killed by user", null]);
    assert.deepEqual(await filesOf(path), []);
    assert.ok((await audit()).some(({ event }) => event === "held result dropped"));
    const late = await type("release", "7", "--reason", "too late");
    assert.deepEqual([late.code, /No result of run 7 waits/.test(late.text)], [1, true]);
  });
});

Deno.test("A held result is dropped when the hub, told of it, has no such task any more", async () => {
  await withSite(async ({ path, live, audit }) => {
    const life = await live({ hub: { ok: false, reason: "unknown" } });
    await life.carryOut();
    assert.deepEqual(kinds(life), ["start", "held"]);
    assert.equal(life.journal.open.size, 0);
    assert.deepEqual(await filesOf(path), []);
    const dropped = (await audit()).find(({ event }) => event === "held result dropped");
    assert.match(String(dropped?.reason), /no longer wants it: unknown/);
  });
});

Deno.test("A held result is released at a hub that knows no such report", async () => {
  await withSite(async ({ live, type }) => {
    const life = await live({ hub: "unheard" });
    const over = life.carryOut();
    await isHeld(life);
    await type("release", "7", "--reason", "looked at");
    await over;
    assert.deepEqual(kinds(life), ["start", "held", "finish"]);
  });
});

Deno.test("A held result is encrypted when it leaves, and does not leave where there is no key", async () => {
  await withSite(async ({ path, live, type }) => {
    let fails = false;
    const seal = {
      header: "key$iv$",
      key: "sha256:of the key",
      update: (piece: Uint8Array) => piece.map((byte) => byte ^ 0xff),
      final: () => new Uint8Array(),
    };
    const sealOf = () => fails ? Promise.reject(new KeyError("No key.")) : Promise.resolve(seal);
    const life = await live({ sealOf });
    const over = life.carryOut();
    await isHeld(life);
    assert.equal(await Deno.readTextFile(resultPath(heldFolder(path), about)), RESULT);
    await type("release", "7", "--reason", "looked at");
    await over;
    const left = life.told.at(-1)!.body.result as string;
    assert.ok(left.startsWith("key$iv$"));
    const bytes = Uint8Array.fromBase64(left.slice("key$iv$".length)).map((byte) => byte ^ 0xff);
    assert.equal(new TextDecoder().decode(bytes), RESULT);

    const again = life.carryOut();
    await isHeld(life);
    fails = true;
    await type("release", "7", "--reason", "looked at");
    await again;
    const { status, result, reason } = life.told.at(-1)!.body;
    assert.deepEqual([status, result, reason], ["start failed", null, "No key."]);
  });
});

Deno.test("held refuses what it cannot do: other numbers, no reason, a second decision, more words", async () => {
  await withSite(async ({ path, live, type }) => {
    assert.deepEqual(await type(), { text: "No result waits for release.", code: 0 });
    const life = await live();
    void life.carryOut();
    await isHeld(life);
    await life.end();
    const why = ["--reason", "looked at"];
    for (const number of ["8", "70", "1"]) {
      const { text, code } = await type("release", number, ...why);
      assert.deepEqual([code, /No result of run/.test(text)], [1, true]);
    }
    for (
      const words of [
        ["release", "7"],
        ["refuse", "7", "--reason", "  "],
        ["release", "7", "--reason", "two\nlines"],
        ["release", "7", "--reason", "\x1b[2J"],
        ["release", "7", "--reason", "x".repeat(501)],
        ["release", "-7", ...why],
        ["release", "7.5", ...why],
        ["release", ...why],
        ["release", "7", "8", ...why],
        ["drop", "7", ...why],
      ]
    ) await assert.rejects(() => type(...words), { name: "UsageError" }, words.join(" "));
    assert.deepEqual(await filesOf(path), ["7-1.json", "7-1.result"]);

    const both = await Promise.all([
      type("refuse", "7", "--reason", "one"),
      type("release", "7", "--reason", "other"),
    ]);
    assert.deepEqual(both.map(({ code }) => code).sort(), [0, 1]);
    const late = both.find(({ code }) => code === 1)!;
    assert.match(late.text, /^Run 7 was (released|refused) already, by .+ at 20.+: (one|other)$/);
    assert.equal((await type("refuse", "7", ...why)).code, 1);
    assert.equal((await filesOf(path)).length, 3);
  });
});

Deno.test("hold() takes no more results than may wait", async () => {
  await withSite(async ({ path, live }) => {
    const life = await live();
    const held = await openHeld({
      dataFolder: path,
      journal: life.journal,
      log: silentLogger,
      mostHeld: 0,
    });
    const result = await writePieces(`${path}/other`, [new TextEncoder().encode("1")]);
    const end = { status: "completed", reason: null, ended: null } as const;
    assert.equal(await held.hold({ dispatch, result, ...end, log: null, why: WHY }), "full");
    assert.deepEqual(await filesOf(path), []);
    held.close();
  });
});

/** What can become of a result between the end of its algorithm and the exit. */
const LOSSES: Record<string, (output: string, kept: string) => Promise<void>> = {
  "without room on the disk": (_, kept) => Deno.symlink("/dev/full", kept),
  changed: (path) => Deno.writeTextFile(path, '{"mean":41.6}'),
  "cut short": (path) => Deno.truncate(path, 3),
  removed: (path) => Deno.remove(path),
  "no file any more": async (path) => {
    await Deno.remove(path);
    await Deno.mkdir(path);
  },
};

Deno.test("A held result that is changed or lost on its way waits like any other, with nothing to read", async () => {
  const heard = new Set<string>();
  for (const [how, lose] of Object.entries(LOSSES)) {
    await withSite(async ({ path, live, type }) => {
      const onEnd = () => lose(`${path}/output`, resultPath(heldFolder(path), about));
      const life = await live({ runtime: runtimeOf(path, { onEnd }), shareLogs: false });
      const over = life.carryOut();
      await isHeld(life);
      await waitFor(() => life.told.length === 2, { what: `the hub to be told of one ${how}` });
      const { text } = await type("show", "7");
      assert.match(text, /ended {6}crashed: The result was changed or lost after/, how);
      assert.match(text, /size {7}0 bytes/, how);
      assert.ok(!text.includes("41."), text);
      await type("release", "7", "--reason", "nothing in it");
      await over;
      const { agent_id: _, ...finish } = life.told.at(-1)!.body;
      assert.match(String(finish.reason), /^The run did not complete; why stays at this site/);
      heard.add(JSON.stringify([kinds(life), finish]));
      assert.deepEqual(await filesOf(path), []);
    });
  }
  assert.equal(heard.size, 1, [...heard].join("\n"));
});

Deno.test("A held result that is lost while it waits ends its attempt when it is released, and no agent", async () => {
  await withSite(async ({ path, live, type }) => {
    const life = await live();
    const over = life.carryOut();
    await isHeld(life);
    await Deno.remove(resultPath(heldFolder(path), about));
    const shown = await type("show", "7");
    assert.equal(shown.code, 1);
    assert.match(shown.text, /^The result of run 7 cannot be read any more: .*refuse/);
    await type("release", "7", "--reason", "looked at");
    await over;
    const { status, result } = life.told.at(-1)!.body;
    assert.deepEqual([status, result], ["crashed", null]);
    assert.equal(life.journal.open.size, 0);
  });
});
