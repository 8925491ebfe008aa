import assert from "node:assert/strict";
import type { Ask } from "../../../shared/messages/questions.ts";
import type { SecondAgent } from "../../../shared/node_protocol/second_agent.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { useTaskHub } from "../../../tests/support/task_hub.ts";
import { disownAgents } from "../store/node_speaker.ts";
import { createOneAgent, isNews } from "./one_agent.ts";

const hub = useTaskHub();
const GRACE_MS = 50;
let nodes = 1_000_000;

/** A node, with `connected` for what the broker would say; two replicas look after it. */
function oneNode() {
  const node = nodes++;
  const connected = new Set<string>();
  const seen = { told: [] as SecondAgent[], warned: 0, asked: 0, at: new Date("2030-01-01") };
  let whenAsked = () => {};
  const ask = ((_service: string, _method: string, { node_id }: { node_id: number }) => {
    assert.equal(node_id, node);
    seen.asked++;
    whenAsked();
    return Promise.resolve(
      [...connected].map((public_key) => ({ public_key, address: `address of ${public_key}` })),
    );
  }) as Ask;
  const [one, other] = [1, 2].map(() =>
    createOneAgent({
      db: hub().db,
      ask,
      tell: (_node, notice) => void seen.told.push(notice),
      log: { ...silentLogger, warn: () => void seen.warned++ },
      now: () => seen.at,
      graceMs: GRACE_MS,
    })
  ) as [ReturnType<typeof createOneAgent>, ReturnType<typeof createOneAgent>];
  return {
    connected,
    seen,
    /** Does something whenever the broker is asked, before it answers. */
    onQuestion: (act: () => void) => void (whenAsked = act),
    hello: (publicKey: string, at = one) => at.admit({ node, publicKey }, "hello"),
    report: (publicKey: string) => one.admit({ node, publicKey }, "finish"),
    helloElsewhere: (publicKey: string) => other.admit({ node, publicKey }, "hello"),
  };
}

Deno.test("a second agent is refused while the first is connected, and people are told once in a while", async () => {
  const { connected, seen, hello, report } = oneNode();
  connected.add("first").add("second");
  await hello("first");
  const refused = {
    code: "conflict",
    message: "another agent with this key has been connected since 2030-01-01T00:00:00.000Z " +
      "from address of first",
  };
  await assert.rejects(hello("second"), refused);
  await assert.rejects(hello("second"), refused);
  const notice = { first: "first", address: "address of second", at: "2030-01-01T00:00:00.000Z" };
  assert.deepEqual(seen.told, [{ second_agent: notice }]);
  assert.equal(seen.warned, 1);
  await hello("first");
  await report("first");
});

Deno.test("an agent that speaks for its node is never asked about at the broker", async () => {
  const { seen, hello, report } = oneNode();
  await hello("first");
  await hello("first");
  await report("first");
  assert.equal(seen.asked, 0);
});

Deno.test("reports of an agent whose hello was not accepted do not count", async () => {
  const { connected, hello, report } = oneNode();
  connected.add("first");
  await hello("first");
  await assert.rejects(report("second"), { code: "conflict" });
  connected.clear();
  await assert.rejects(report("second"), { code: "conflict" });
  await hello("second");
  await report("second");
  await assert.rejects(report("first"), { code: "conflict" });
});

Deno.test("an agent takes over at once when the broker has none of the one before", async () => {
  const { connected, seen, hello } = oneNode();
  connected.add("first");
  await hello("first");
  connected.delete("first");
  connected.add("second");
  await hello("second");
  assert.equal(seen.asked, 1);
  connected.add("first");
  await assert.rejects(hello("first"), { code: "conflict" });
});

Deno.test("an agent that was refused lets the first one come back", async () => {
  const { connected, seen, hello, onQuestion } = oneNode();
  connected.add("first");
  await hello("first");
  await assert.rejects(hello("second"), { code: "conflict" });
  connected.delete("first");
  // Back by the second look at the broker.
  onQuestion(() => seen.asked === 3 && connected.add("first"));
  await assert.rejects(hello("second"), { code: "conflict" });
  assert.equal(seen.asked, 3);
  onQuestion(() => {});
  connected.delete("first");
  await hello("second");
  assert.equal(seen.asked, 5);
});

Deno.test("of two agents that want to take over at two replicas at once, one does", async () => {
  for (let round = 0; round < 10; round++) {
    const { connected, hello, helloElsewhere } = oneNode();
    await hello("dead");
    connected.add("a").add("b");
    const ends = await Promise.allSettled([hello("a"), helloElsewhere("b")]);
    assert.deepEqual(ends.map((one) => one.status).toSorted(), ["fulfilled", "rejected"]);
  }
});

Deno.test("of two agents that come to a new node at once, one speaks for it", async () => {
  for (let round = 0; round < 10; round++) {
    const { connected, hello, helloElsewhere } = oneNode();
    connected.add("a").add("b");
    const ends = await Promise.allSettled([hello("a"), helloElsewhere("b")]);
    assert.deepEqual(ends.map((one) => one.status).toSorted(), ["fulfilled", "rejected"]);
  }
});

Deno.test("an agent that was connected before the hub looked speaks with any report", async () => {
  const { connected, hello, report } = oneNode();
  connected.add("first");
  await report("first");
  await assert.rejects(hello("second"), { code: "conflict" });
});

Deno.test("isNews() is true at first, and again after ten minutes", () => {
  const second_told_at = new Date(0);
  assert.equal(isNews({ second_told_at: null }, second_told_at), true);
  assert.equal(isNews({ second_told_at }, new Date(599_999)), false);
  assert.equal(isNews({ second_told_at }, new Date(600_000)), true);
});

Deno.test("after a restore of the hub an agent that goes on says a hello before its reports count", async () => {
  const { connected, seen, hello, report } = oneNode();
  connected.add("first");
  await hello("first");
  seen.at = new Date("2030-01-02");
  await disownAgents(hub().db, seen.at);
  await assert.rejects(
    () => retried(() => report("first")),
    /speaks for the node since 2030-01-02.*this one's hello was not accepted after that/,
  );
  await hello("first");
  await report("first");
});

/** Does it until it is refused: for a moment the one that spoke last is not looked up again. */
async function retried(act: () => Promise<void>): Promise<void> {
  for (const giveUpAt = performance.now() + 5000; performance.now() < giveUpAt;) await act();
}
