import assert from "node:assert/strict";
import type { Seal } from "../../../shared/contract/audit.ts";
import { NO_SEAL, sealDigest } from "../../../shared/storage/audit_seal.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import type { HubRequest } from "../hub/hub.ts";
import { HubError } from "../hub/error.ts";
import { lookAtSeals, witnessHub } from "./hub_witness.ts";

const SEALED = Date.parse("2026-03-24T10:00:00.000Z");

function chainOf(
  length: number,
  word = "record",
  change: (seal: Omit<Seal, "sha256">) => Partial<Seal> = () => ({}),
): Seal[] {
  const chain: Seal[] = [];
  for (let number = 1; number <= length; number++) {
    const seal = {
      number,
      last_id: number * 3,
      records: 3,
      records_sha256: `${word} ${number}`,
      sealed_at: "2026-03-24T10:00:00.000Z",
    };
    Object.assign(seal, change(seal));
    chain.push({ ...seal, sha256: sealDigest(chain.at(-1)?.sha256 ?? NO_SEAL, seal) });
  }
  return chain;
}

/** A data station that looks at the seals of identity as they are in `chain`; what it records. */
async function withWitness(
  work: (
    look: (chain: Seal[], now?: number) => Promise<Record<string, unknown>[]>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const recorded: Record<string, unknown>[] = [];
  const audit = {
    record(event: string, details = {}) {
      recorded.push({ event, ...details });
      return Promise.resolve();
    },
  };
  try {
    await work(async (chain, now = SEALED + 60_000) => {
      const hub = {
        request<T>(path: string, schema: { parse(value: unknown): T }, _options?: HubRequest) {
          const { searchParams } = new URL(path, "http://hub");
          const after = searchParams.get("after");
          const all = searchParams.get("service") === "identity" ? chain : [];
          const data = after === null
            ? all.slice(-Number(searchParams.get("newest")))
            : all.filter(({ number }) => number > Number(after)).slice(0, 3);
          return Promise.resolve(schema.parse({ data }));
        },
      };
      const signal = new AbortController().signal;
      await lookAtSeals({
        hub,
        folder: folder.path,
        audit,
        log: silentLogger,
        signal,
        now: () => now,
      } as never);
      return recorded.splice(0);
    });
  } finally {
    await folder.remove();
  }
}

Deno.test("lookAtSeals() notes the newest seal, and the next ones when they follow from it", async () => {
  await withWitness(async (look) => {
    const chain = chainOf(12);
    assert.deepEqual(await look([]), []);
    const noted = (number: number) => {
      const { sha256 } = chain[number - 1]!;
      return [{ event: "hub record noted", service: "identity", number, sha256 }];
    };
    assert.deepEqual(await look(chain.slice(0, 2)), noted(2));
    assert.deepEqual(await look(chain.slice(0, 2)), []);
    assert.deepEqual(await look(chain), noted(12));
  });
});

Deno.test("lookAtSeals() records it when the chain does not go on from what was noted", async () => {
  const chain = chainOf(5);
  const forked = [...chain.slice(0, 3), ...chainOf(5, "other").slice(3)];
  const cases: [string, Seal[], RegExp][] = [
    ["cut off", chain.slice(0, 2), /Seal 3 is gone/],
    ["emptied", [], /Seal 3 is gone/],
    ["written anew", chainOf(5, "other"), /Seal 3 is another one/],
    ["forked afterwards", forked, /Seal 4 does not follow seal 3/],
    ["with a hole", [...chain.slice(0, 3), chain[4]!], /Seal 5 does not follow seal 3/],
  ];
  for (const [what, later, problem] of cases) {
    await withWitness(async (look) => {
      await look(chain.slice(0, 3));
      for (const _twice of [1, 2]) {
        const [broken] = await look(later);
        assert.equal(broken?.event, "hub record broken", what);
        assert.match(String(broken?.problem), problem, what);
      }
      const [goneOn] = await look(chain);
      assert.deepEqual([goneOn?.event, goneOn?.number], ["hub record noted", 5], what);
    });
  }
});

Deno.test("lookAtSeals() records it when no new seal comes, or one of another time", async () => {
  const day = 86_400_000;
  await withWitness(async (look) => {
    const chain = chainOf(3);
    assert.equal((await look(chain))[0]?.event, "hub record noted");
    const [frozen] = await look(chain, SEALED + day + 1);
    assert.equal(frozen?.event, "hub record broken");
    assert.match(String(frozen?.problem), /The newest seal, 3, .* none came since/);
    const [early] = await look(chain, SEALED - day - 1);
    assert.match(String(early?.problem), /which is to come/);
  });
  await withWitness(async (look) => {
    const [frozen] = await look(chainOf(3), SEALED + day + 1);
    assert.equal(frozen?.event, "hub record broken", "the first one that is seen, too");
  });
});

Deno.test("lookAtSeals() records it when a chain says what no record can be like", async () => {
  const at = (seal: Omit<Seal, "sha256">, change: Partial<Seal>) => seal.number === 5 ? change : {};
  const cases: [(seal: Omit<Seal, "sha256">) => Partial<Seal>, RegExp][] = [
    [(seal) => at(seal, { records: 4 }), /Seal 5 covers 4 records up to number 15, after 12/],
    [(seal) => at(seal, { records: -1 }), /Seal 5 covers -1 records/],
    [(seal) => at(seal, { last_id: 11, records: 0 }), /Seal 5 ends at record 11/],
    [(seal) => at(seal, { sealed_at: "2026-03-24T09:00:00.000Z" }), /Seal 5 is of .*T09/],
    [(seal) => at(seal, { sealed_at: "some day" }), /Seal 5 has no time/],
  ];
  for (const [change, problem] of cases) {
    await withWitness(async (look) => {
      await look(chainOf(3));
      const [broken] = await look(chainOf(6, "record", change));
      assert.equal(broken?.event, "hub record broken");
      assert.match(String(broken?.problem), problem);
    });
  }
});

Deno.test("witnessHub() says so in the audit log when the hub is out of reach for a day", async () => {
  const folder = await temporaryFolder();
  const stopping = new AbortController();
  const recorded: Record<string, unknown>[] = [];
  let now = SEALED;
  let looks = 0;
  try {
    const watching = witnessHub({
      hub: { request: () => Promise.reject(new HubError("Cannot reach the hub: refused")) },
      folder: folder.path,
      audit: {
        record: (event, details = {}) => Promise.resolve(void recorded.push({ event, ...details })),
      },
      log: silentLogger,
      signal: stopping.signal,
      now: () => now,
      first: () => Promise.resolve(void looks++),
    }, 5);
    await waitFor(() => looks > 2, { what: "some looks" });
    now += 23 * 3_600_000;
    const before = looks;
    await waitFor(() => looks > before + 1, { what: "a look" });
    assert.equal(recorded.length, 0, "not yet");
    now += 2 * 3_600_000;
    await waitFor(() => recorded.length > 0, { what: "the alarm" });
    assert.equal(recorded[0]!.event, "hub record broken");
    assert.match(
      String(recorded[0]!.problem),
      /^No seal could be had since 2026-03-24T10:00:00\.000Z: Cannot reach the hub: refused$/,
    );
    stopping.abort();
    await watching;
  } finally {
    stopping.abort();
    await folder.remove();
  }
});
