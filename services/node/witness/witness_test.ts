import assert from "node:assert/strict";
import { newUserKey, publicKeyOf } from "../../../shared/broker/signing.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { createRecordDouble, type RecordDouble } from "../../../tests/support/record_double.ts";
import { HubError } from "../hub/error.ts";
import { acknowledge, readKept } from "./kept.ts";
import { type HubWitness, openWitness } from "./witness.ts";

const START = Date.parse("2026-03-24T10:00:00.000Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const { seed } = newUserKey();

interface Place {
  folder: string;
  /** What the hub answers to the question for its checkpoints; an error when it throws. */
  answer: () => string[];
  /** Of whom proofs are. */
  record: RecordDouble;
  now: number;
  keys: string[];
  audited: Record<string, unknown>[];
  asked: string[];
  witness: HubWitness;
  /** A checkpoint of the record as it is. */
  checkpoint(how?: Partial<Parameters<RecordDouble["checkpoint"]>[0]>): string;
  /** The agent is started again. */
  again(): Promise<void>;
  /** Kinds and problems of the alarms there are. */
  alarms(): string[];
}

async function withWitness(use: (place: Place) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  const record = createRecordDouble();
  record.grow(5);
  const open = () =>
    openWitness({
      hub: {
        request<T>(path: string, schema: { parse(value: unknown): T }) {
          place.asked.push(path);
          const { pathname, searchParams: asked } = new URL(path, "http://hub");
          const [from, to] = [Number(asked.get("from")), Number(asked.get("to"))];
          if (pathname === "/audit/checkpoints") {
            return Promise.try(() => schema.parse({ data: place.answer() }));
          }
          if (to > place.record.size) return Promise.reject(new HubError("There are none.", 404));
          return Promise.try(() => schema.parse({ proof: place.record.proof(from, to) }));
        },
      },
      keys: () => place.keys,
      folder: folder.path,
      audit: {
        record: (event, details = {}) =>
          Promise.resolve(void place.audited.push({ event, ...details })),
      },
      log: silentLogger,
      signal: new AbortController().signal,
      now: () => place.now,
    });
  const place: Place = {
    folder: folder.path,
    answer: () => [place.checkpoint()],
    record,
    now: START,
    keys: [publicKeyOf(seed)],
    audited: [],
    asked: [],
    witness: undefined as unknown as HubWitness,
    checkpoint: (how = {}) => place.record.checkpoint({ seed, sealedAt: place.now, ...how }),
    again: async () => void (place.witness = await open()),
    alarms: () => place.witness.alarms.map(({ kind, problem }) => `${kind}: ${problem}`),
  };
  try {
    await place.again();
    await use(place);
  } finally {
    await folder.remove();
  }
}

const events = ({ audited }: Place) => audited.map(({ event }) => event);

Deno.test("a witness accepts what is proven to go on, whether it is asked for or comes with work, and keeps it", async () => {
  await withWitness(async (place) => {
    await place.witness.look();
    assert.deepEqual(events(place), ["hub checkpoint noted"]);
    assert.equal(place.witness.kept.checkpoints.task?.size, 5);
    const first = place.witness.kept.checkpoints.task!;
    for (const more of [1, 2, 300]) {
      place.record.grow(more);
      place.now += 60_000;
      await place.witness.hear([place.checkpoint()]);
    }
    assert.equal(place.witness.kept.checkpoints.task?.size, 308);
    assert.equal(place.witness.kept.checkpoints.task?.since, first.since);
    const kept = await readKept(place.folder);
    assert.equal(kept.checkpoints.task?.size, 308, "on the disk");
    const asked = place.asked.length;
    // The same again, and late copies of what was judged.
    await place.witness.hear([place.checkpoint(), place.checkpoint()]);
    assert.equal(place.asked.length, asked);
    await place.witness.hear([place.checkpoint({ size: 6, sealedAt: START })]);
    assert.equal(place.asked.length, asked + 1, "a late copy is proven to be of the same record");
    await place.again();
    await place.witness.look();
    assert.deepEqual(place.alarms(), []);
    assert.deepEqual(events(place), ["hub checkpoint noted"], "at most once an hour");
    place.now += HOUR;
    place.record.grow(1);
    await place.witness.look();
    assert.deepEqual(events(place), ["hub checkpoint noted", "hub checkpoint noted"]);
  });
});

const DISHONEST: Record<string, [(place: Place) => Promise<void> | void, RegExp]> = {
  "a record that was written anew": [(place) => {
    place.record = createRecordDouble();
    place.record.grow(9);
  }, /^rewritten: The 5 entries that were seen are not the beginning of the 9 now\./],
  "a record of which one entry was changed": [(place) => {
    place.record = place.record.fork(4);
    place.record.grow(60);
  }, /^rewritten: /],
  "a shorter record": [(place) => {
    place.record = place.record.fork(3);
  }, /^rolled back: The record has 3 entries; it had 5 before\./],
  "another record of the same length": [(place) => {
    place.record = place.record.fork(4);
    place.record.grow(1);
  }, /^split view: There are two records of task with 5 entries\./],
  "another hub's record": [(place) => {
    place.answer = () => [place.checkpoint({ origin: "sextant/AOTHER/task" })];
  }, /^other record: It is the record sextant\/AOTHER\/task/],
  "a seal that is to come": [(place) => {
    place.answer = () => [place.checkpoint({ sealedAt: place.now + DAY + HOUR })];
  }, /^senseless: .* which is to come/],
  "a time that goes backwards": [(place) => {
    place.record.grow(1);
    place.answer = () => [place.checkpoint({ sealedAt: START - HOUR })];
  }, /^senseless: The seal over 6 records is of 2026-03-24T09/],
};
for (const [what, [change, alarm]] of Object.entries(DISHONEST)) {
  Deno.test(`a witness says so once of ${what}, with what shows it, until the owner acknowledges it`, async () => {
    await withWitness(async (place) => {
      await place.witness.look();
      const honest = place.record.fork(5);
      const noted = place.witness.kept.checkpoints.task!.note;
      place.now += HOUR;
      await change(place);
      for (const _time of [1, 2]) {
        await place.witness.look();
        await place.witness.hear(place.answer());
      }
      assert.equal(place.alarms().length, 1, String(place.alarms()));
      assert.match(place.alarms()[0]!, alarm);
      const broken = place.audited.filter(({ event }) => event === "hub record broken");
      assert.equal(broken.length, 1);
      assert.deepEqual(
        { service: broken[0]!.service, noted: broken[0]!.noted, told: broken[0]!.told },
        { service: "task", noted, told: place.answer()[0] },
      );
      assert.equal(place.witness.kept.checkpoints.task!.note, noted, "it is not accepted");

      // Neither a restart nor an honest answer makes it undone.
      place.record = honest;
      place.record.grow(4);
      place.answer = () => [place.checkpoint()];
      await place.again();
      await place.witness.look();
      assert.equal(place.witness.kept.checkpoints.task!.size, 9);
      assert.equal(place.alarms().length, 1);

      await acknowledge(place.folder, { service: "task", reason: "restored from a backup" });
      place.record = honest.fork(2);
      await place.witness.look();
      assert.deepEqual(place.alarms(), []);
      assert.equal(place.witness.kept.checkpoints.task!.size, 2);
      const word = place.audited.find(({ event }) => event === "hub record acknowledged")!;
      assert.equal(word.reason, "restored from a backup");
      assert.equal((word.alarms as unknown[]).length, 1);
      // It is followed once.
      place.record = honest.fork(1);
      await place.witness.look();
      assert.match(String(place.alarms()), /^rolled back/);
    });
  });
}

Deno.test("a witness notices a fork that comes with work alone", async () => {
  await withWitness(async (place) => {
    await place.witness.look();
    const other = place.record.fork(3);
    other.grow(1);
    // Older than what is kept, and of another record.
    await place.witness.hear([other.checkpoint({ seed, sealedAt: START - HOUR })]);
    assert.match(String(place.alarms()), /^split view: A record of 4 entries is not the beginning/);
  });
});

Deno.test("a checkpoint that the hub's known keys have not signed is an alarm until a good one comes", async () => {
  await withWitness(async (place) => {
    await place.witness.look();
    const stranger = newUserKey().seed;
    const origin = place.witness.kept.checkpoints.task!.origin;
    for (const note of ["x", place.checkpoint({ seed: stranger, origin })]) {
      await place.witness.hear([note]);
      assert.match(String(place.alarms()), /^bad signature: A checkpoint is not believed: /);
    }
    assert.equal(place.alarms().length, 1);
    await place.witness.look();
    assert.deepEqual(place.alarms(), []);
    place.keys = [publicKeyOf(stranger)];
    await place.witness.look();
    assert.match(String(place.alarms()), /no key that is known as the hub's/);
  });
});

Deno.test("a record to which nothing is added for a day is frozen, whatever the hub answers", async () => {
  await withWitness(async (place) => {
    await place.witness.look();
    const old = place.checkpoint();
    const frozen: [string, () => string[], RegExp][] = [
      ["the same again", () => [old], /^frozen: The newest seal, over 5 records/],
      ["none", () => [], /^frozen: No good checkpoint could be had since/],
      ["a refusal", () => {
        throw new HubError("There is no such thing.", 404);
      }, /^frozen: .*no such thing/],
      ["nothing", () => {
        throw new HubError("Cannot reach the hub: refused");
      }, /^out of reach: No good checkpoint .* Cannot reach the hub: refused/],
    ];
    for (const [what, answer, alarm] of frozen) {
      const since = place.now;
      place.answer = answer;
      place.now += 23 * HOUR;
      await place.witness.look();
      assert.deepEqual(place.alarms(), [], what);
      place.now += 2 * HOUR;
      await place.witness.look();
      await place.witness.look();
      assert.equal(place.alarms().length, 1, what);
      assert.match(place.alarms()[0]!, alarm, what);
      place.answer = () => [place.checkpoint()];
      await place.witness.look();
      assert.deepEqual(place.alarms(), [], `over: ${what}`);
      assert.ok(place.now > since);
    }
    const broken = place.audited.filter(({ event }) => event === "hub record broken");
    assert.equal(broken.length, frozen.length);
  });
});

Deno.test("a hub of the version before is no alarm, one that is out of reach from the start is", async () => {
  await withWitness(async (place) => {
    place.answer = () => {
      throw new HubError("not found", 404);
    };
    await place.witness.look();
    place.now += 3 * DAY;
    await place.witness.look();
    assert.deepEqual(place.alarms(), []);
    place.answer = () => {
      throw new HubError("Cannot reach the hub: refused");
    };
    await place.witness.look();
    assert.match(String(place.alarms()), /^out of reach/);
  });
});

Deno.test("a hub that cannot be asked for a proof is asked again, and nothing is accepted meanwhile", async () => {
  await withWitness(async (place) => {
    await place.witness.look();
    place.record.grow(3);
    const { proof } = place.record;
    for (const error of [new HubError("busy", 503), new HubError("away")]) {
      place.record.proof = () => {
        throw error;
      };
      await place.witness.hear([place.checkpoint()]);
      await place.witness.look();
      assert.deepEqual(place.alarms(), []);
      assert.equal(place.witness.kept.checkpoints.task!.size, 5);
    }
    place.record.proof = proof;
    await place.witness.hear([place.checkpoint()]);
    assert.equal(place.witness.kept.checkpoints.task!.size, 8);
  });
});

Deno.test("a file that cannot be read is no reason to begin anew in silence", async () => {
  await withWitness(async (place) => {
    await place.witness.look();
    await Deno.writeTextFile(`${place.folder}/hub-checkpoints.json`, "{");
    await assert.rejects(place.again(), /Cannot read .*hub-checkpoints\.json.*Restore it/);
  });
});
