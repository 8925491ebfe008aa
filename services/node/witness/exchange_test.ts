import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { newUserKey, publicKeyOf } from "../../../shared/broker/signing.ts";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import { type SignedStatement, statementBytes } from "../../../shared/node_protocol/witness.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { KEYS, publicKeyOfOrganization } from "../../../tests/support/payloads.ts";
import { createRecordDouble, type RecordDouble } from "../../../tests/support/record_double.ts";
import { KeyError } from "../encryption/keys.ts";
import { HubError } from "../hub/error.ts";
import { type Exchange, openExchange } from "./exchange.ts";
import { type HubWitness, openWitness } from "./witness.ts";

const NOW = Date.parse("2026-03-24T10:00:00.000Z");
const { seed } = newUserKey();

type Passed = SignedStatement & { node_id: number; organization_id: number };

interface Station {
  witness: HubWitness;
  exchange: Exchange;
  /** Looks at the record that this station is shown, and at what the others state. */
  look(): Promise<void>;
  alarms(): string[];
  audited: string[];
}

/** What the hub does with the statements of nodes before it passes them on. */
type PassOn = (statements: Passed[], to: number) => Passed[];

/**
 * Stations 3, 4 and 5, of organizations with the same numbers, each with the record it is shown.
 */
async function withStations(
  { encrypted, shown, passOn = (all) => all, now = () => NOW }: {
    encrypted: boolean;
    shown: (node: number) => RecordDouble;
    passOn?: PassOn;
    now?: () => number;
  },
  use: (station: (node: number) => Promise<Station>) => Promise<void>,
): Promise<void> {
  const told = new Map<number, Passed>();
  const folders = new Map<number, Awaited<ReturnType<typeof temporaryFolder>>>();

  async function open(node: number): Promise<Station> {
    const folder = folders.get(node) ?? await temporaryFolder();
    folders.set(node, folder);
    const audited: string[] = [];
    const hub = {
      request<T>(
        path: string,
        schema: { parse(value: unknown): T },
        { method, body }: { method?: string; body?: unknown } = {},
      ) {
        const { pathname, searchParams: asked } = new URL(path, "http://hub");
        const record = shown(node);
        const answer = () => {
          if (pathname === "/audit/checkpoints") {
            return { data: [record.checkpoint({ seed, sealedAt: NOW })] };
          }
          if (pathname === "/audit/consistency") {
            const to = Number(asked.get("to"));
            if (to > record.size) throw new HubError("There are none.", 404);
            return { proof: record.proof(Number(asked.get("from")), to) };
          }
          if (method !== "PUT") return { data: passOn([...told.values()], node) };
          const statement = body as SignedStatement;
          told.set(node, { ...statement, node_id: node, organization_id: node });
          return {};
        };
        return Promise.try(() => schema.parse(answer()));
      },
    };
    const common = {
      hub,
      keys: () => [publicKeyOf(seed)],
      folder: folder.path,
      audit: {
        record: (event: string, details = {}) =>
          Promise.resolve(void audited.push(`${event} ${JSON.stringify(details)}`)),
      },
      log: silentLogger,
      signal: new AbortController().signal,
      now,
    };
    const witness = await openWitness(common);
    const organization = {
      privateKey: KEYS[node]!,
      keys: {
        ofSigner(organizationId: number, key: string) {
          const known = publicKeyOfOrganization(organizationId);
          if (fingerprintOf(known) === key) return Promise.resolve(known);
          return Promise.reject(new KeyError(`it is not the key of ${organizationId}`));
        },
      },
    };
    const linked = { id: 2, name: "Test", encrypted };
    const exchange = await openExchange({
      ...common,
      witness,
      identity: {
        id: node,
        name: "n",
        organization: { id: node, name: "o" },
        collaboration: linked,
      },
      organization: encrypted ? organization : undefined,
    });
    return {
      witness,
      exchange,
      async look() {
        await witness.look();
        await exchange.compare();
      },
      alarms: () =>
        witness.alarms.map(({ service, kind, problem }) => `${service}, ${kind}: ${problem}`),
      audited,
    };
  }

  try {
    await use(open);
  } finally {
    for (const folder of folders.values()) await folder.remove();
  }
}

function record(size: number): RecordDouble {
  const made = createRecordDouble();
  made.grow(size);
  return made;
}

for (const encrypted of [true, false]) {
  const by = encrypted ? "by their organizations' keys" : "by keys of their own";

  Deno.test(`stations that were shown one record agree, ${by}, however far each has seen it`, async () => {
    const one = record(7);
    await withStations({ encrypted, shown: () => one }, async (open) => {
      const a = await open(3);
      await a.look();
      one.grow(5);
      const b = await open(4);
      await b.look();
      await a.look();
      assert.deepEqual([...a.exchange.agreed.keys()], [4]);
      assert.deepEqual([...b.exchange.agreed.keys()], [3]);
      assert.deepEqual([...a.alarms(), ...b.alarms()], []);
      assert.match(b.audited.join("\n"), /witness seen {"node_id":3/);
      // A station that is started again signs with the same key.
      const again = await open(3);
      await again.look();
      await b.look();
      assert.deepEqual(b.alarms(), []);
    });
  });

  for (const size of [7, 8, 12]) {
    Deno.test(`stations that were shown two records, one of them of ${size} entries, both find out, ${by}`, async () => {
      const one = record(8);
      const other = one.fork(6);
      other.grow(size - 6);
      await withStations(
        { encrypted, shown: (node) => node === 3 ? one : other },
        async (open) => {
          const [a, b] = [await open(3), await open(4)];
          await a.look();
          await b.look();
          await a.look();
          for (const [station, node] of [[a, 4], [b, 3]] as const) {
            assert.equal(station.alarms().length, 1);
            assert.match(
              station.alarms()[0]!,
              new RegExp(`^task, split view: Node ${node} was shown \\d+ records that are not`),
            );
            assert.equal(station.exchange.agreed.size, 0);
            const [broken] = station.audited.filter((line) => line.startsWith("hub record broken"));
            assert.match(broken!, /"noted":"sextant.*"told":"sextant/, "with both checkpoints");
          }
        },
      );
    });
  }

  Deno.test(`a statement that the hub has changed, or made up, or shows as another's, is not believed, ${by}`, async () => {
    const one = record(8);
    const forgeries: [string, (statement: Passed) => Passed][] = [
      ["changed", (all) => ({ ...all, text: all.text.replace('"v":1', '"v":1 ') })],
      ["without a signature", (all) => ({ ...all, signature: "" })],
      ["of another node", (all) => ({ ...all, node_id: 5, organization_id: 5 })],
      ["of another kind of key", (all) => ({
        ...all,
        key: encrypted ? `ed25519:${"A".repeat(43)}=` : `sha256:${"0".repeat(64)}`,
      })],
    ];
    for (const [what, forge] of forgeries) {
      await withStations({
        encrypted,
        shown: () => one,
        passOn: (all, to) => to === 4 ? all.filter((one) => one.node_id === 3).map(forge) : all,
      }, async (open) => {
        const [a, b] = [await open(3), await open(4)];
        await a.look();
        await b.look();
        assert.equal(b.exchange.agreed.size, 0, what);
      });
    }
  });
}

Deno.test("a statement of long ago, and one for another collaboration, say nothing of now", async () => {
  const one = record(8);
  let now = NOW;
  const kept: Passed[] = [];
  await withStations({
    encrypted: false,
    shown: () => one,
    passOn: (all) => kept.length > 0 ? kept : all,
    now: () => now,
  }, async (open) => {
    const [a, b] = [await open(3), await open(4)];
    await a.look();
    await b.look();
    assert.equal(b.exchange.agreed.size, 1);
    const again = await open(4);
    now += 86_400_000 + 1000;
    await again.exchange.compare();
    assert.equal(again.exchange.agreed.size, 0);
  });
});

Deno.test("another key that speaks for a node, where none of its organization's does, is an alarm", async () => {
  const one = record(8);
  const forged: { statement?: Passed } = {};
  await withStations({
    encrypted: false,
    shown: () => one,
    passOn: (all, to) => to === 4 && forged.statement ? [forged.statement] : all,
  }, async (open) => {
    const [a, b] = [await open(3), await open(4)];
    await a.look();
    await b.look();
    assert.equal(b.exchange.agreed.size, 1);
    // The hub lets a key of its own speak for node 3.
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const text = JSON.stringify({
      v: 1,
      node_id: 3,
      organization_id: 3,
      collaboration_id: 2,
      at: new Date(NOW).toISOString(),
      checkpoints: [one.checkpoint({ seed, sealedAt: NOW })],
    });
    forged.statement = {
      text,
      key: `ed25519:${
        publicKey.export({ type: "spki", format: "der" }).subarray(12).toString("base64")
      }`,
      signature: sign(null, statementBytes(text), privateKey).toString("base64"),
      node_id: 3,
      organization_id: 3,
    };
    await b.look();
    assert.match(
      String(b.alarms()),
      /^nodes, other witness: A statement of node 3 is not believed/,
    );
  });
});

Deno.test("what another station was shown, and the hub does not let be compared for a day, is an alarm", async () => {
  const one = record(8);
  const { proof } = one;
  let now = NOW;
  await withStations({ encrypted: false, shown: () => one, now: () => now }, async (open) => {
    const [a, b] = [await open(3), await open(4)];
    await a.look();
    one.grow(1);
    await b.witness.look();
    one.proof = () => {
      throw new HubError("busy", 503);
    };
    await b.exchange.compare();
    now += 23 * 3_600_000;
    await b.exchange.compare();
    assert.deepEqual(b.alarms(), []);
    now += 2 * 3_600_000;
    // Station 3 goes on to state what it has seen.
    await a.exchange.compare();
    await b.exchange.compare();
    assert.match(String(b.alarms()), /^nodes, split view: .*node 3 .*not be compared since .*busy/);
    one.proof = proof;
    await b.exchange.compare();
    assert.deepEqual([...b.exchange.agreed.keys()], [3]);
  });
});
