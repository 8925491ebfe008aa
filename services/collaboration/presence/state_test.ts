import assert from "node:assert/strict";
import fc from "fast-check";
import { type ConnectionId, PresenceState } from "./state.ts";

const GRACE = 1500;
const PATIENCE = 5000;

/** A state with a clock that the test moves, and a record that is written as a service would. */
function watch() {
  const state = new PresenceState(GRACE);
  /** Nodes that are shown online. */
  const shown = new Set<number>();
  const told: string[] = [];
  let at = 0;

  function settle(nodes: number[]): void {
    for (const node of nodes) {
      const verdict = state.verdict(node, at);
      if (!verdict) continue;
      const { status, since } = verdict;
      if (status === "online" ? shown.has(node) : !shown.has(node)) continue;
      if (status === "online") shown.add(node);
      else shown.delete(node);
      told.push(`${at} ${node} ${status}${status === "offline" ? ` since ${since}` : ""}`);
      if (status === "offline") state.recordedOffline(node, since);
    }
  }
  return {
    state,
    shown,
    told,
    came(connection: ConnectionId, node: number) {
      state.came(connection, node);
      settle([node]);
    },
    went(connection: ConnectionId) {
      state.went(connection, at);
    },
    /** A list that is read in one moment. */
    list(connections: Record<ConnectionId, number>, patienceMs = PATIENCE, meanwhile = () => {}) {
      const list = state.beginList();
      meanwhile();
      const listed = new Map(Object.entries(connections));
      const counts = state.endList(list, listed, { recorded: [...shown], at, patienceMs });
      settle(state.differing([...shown], at));
      return counts;
    },
    /** Moves the clock, with whatever is due on the way. */
    wait(ms: number) {
      const end = at + ms;
      for (let next = state.nextDue(); next !== undefined && next <= end; next = state.nextDue()) {
        at = Math.max(at, next);
        settle(state.due(at));
      }
      at = end;
    },
    compare() {
      settle(state.differing([...shown], at));
    },
  };
}

Deno.test("a node is online from its first connection to a while after its last", () => {
  const { came, went, wait, list, told } = watch();
  list({});
  came("a", 1);
  came("b", 1);
  wait(1000);
  went("a");
  wait(10_000);
  went("b");
  wait(GRACE - 1);
  assert.deepEqual(told, ["0 1 online"]);
  wait(1);
  assert.deepEqual(told, ["0 1 online", "12500 1 offline since 11000"]);
});

Deno.test("a node that is back within its time was never away", () => {
  const { came, went, wait, list, told } = watch();
  list({});
  came("0", 1);
  for (let turn = 0; turn < 200; turn++) {
    went(`${turn}`);
    wait(GRACE - 1);
    came(`${turn + 1}`, 1);
    wait(1);
  }
  assert.deepEqual(told, ["0 1 online"]);
});

Deno.test("each node has its own time to come back", () => {
  const { came, went, wait, list, told } = watch();
  list({});
  for (const node of [1, 2, 3]) came(`${node}`, node);
  went("1");
  wait(1000);
  went("2");
  wait(499);
  came("again", 1); // in its last moment
  wait(10_000);
  went("again");
  wait(10_000);
  assert.deepEqual(told.slice(3), [
    "2500 2 offline since 1000",
    "12999 1 offline since 11499",
  ]);
});

Deno.test("one list that lacks a node takes nothing, the next one that lacks it does", () => {
  const { came, wait, list, told, state } = watch();
  list({});
  came("a", 1);
  came("b", 2);
  wait(1000);
  list({ b: 2 });
  assert.equal(state.doubtful, true);
  wait(PATIENCE);
  assert.deepEqual(told, ["0 1 online", "0 2 online"]);
  list({ b: 2 });
  assert.deepEqual(told.slice(2), ["6000 1 offline since 1000"]);
  assert.equal(state.doubtful, false);
});

Deno.test("two lists in a row must lack a node: one that has it between them starts afresh", () => {
  const { came, wait, list, told } = watch();
  list({});
  came("a", 1);
  for (let turn = 0; turn < 10; turn++) {
    list({});
    wait(PATIENCE);
    list({ a: 1 });
    wait(PATIENCE);
  }
  assert.deepEqual(told, ["0 1 online"]);
});

Deno.test("a second list that comes too early proves nothing", () => {
  const { came, wait, list, told } = watch();
  list({});
  came("a", 1);
  for (let turn = 0; turn < 5; turn++) {
    list({});
    wait(PATIENCE / 5);
  }
  assert.deepEqual(told, ["0 1 online"]);
  list({});
  assert.deepEqual(told, ["0 1 online", "5000 1 offline since 0"]);
});

Deno.test("a list mends what was not heard: who came, and a connection that is none any more", () => {
  const { came, went, wait, list, told, state } = watch();
  list({});
  came("stale", 1);
  list({ a: 1, b: 2 });
  assert.deepEqual(told, ["0 1 online", "0 2 online"]);
  wait(PATIENCE);
  list({ a: 1, b: 2 }); // the second without "stale"
  went("a");
  wait(GRACE);
  assert.deepEqual(told.slice(2), ["6500 1 offline since 5000"]);
  assert.deepEqual(state.connectedNodes, [2]);
});

Deno.test("a connection that one page lost still counts when the node's other one closes", () => {
  const { came, went, wait, list, told } = watch();
  list({});
  came("a", 1);
  came("b", 1);
  list({ b: 1 }); // "a" is there, but the page moved
  went("b");
  wait(GRACE);
  list({ a: 1 });
  wait(PATIENCE);
  assert.deepEqual(told, ["0 1 online"]);
});

Deno.test("what is heard while a list is under way is newer than the list", () => {
  const { came, went, wait, list, told } = watch();
  list({});
  came("a", 1);
  list({ a: 1 }, PATIENCE, () => {
    went("a");
    came("b", 2);
  });
  wait(GRACE);
  assert.deepEqual(told, ["0 1 online", "0 2 online", "1500 1 offline since 0"]);
  list({ b: 2 });
  wait(PATIENCE);
  list({ b: 2 });
  assert.equal(told.length, 3);
});

Deno.test("a list that a later one overtook counts for nothing", () => {
  const { state, came } = watch();
  const first = state.beginList();
  const second = state.beginList();
  const options = { recorded: [], at: 0, patienceMs: 0 };
  assert.equal(state.endList(first, new Map([["a", 1]]), options), false);
  assert.deepEqual([state.known, state.connectedNodes], [false, []]);
  came("b", 2);
  assert.equal(state.endList(second, new Map(), options), true);
  assert.equal(state.endList(second, new Map(), options), false);
  assert.deepEqual(state.connectedNodes, [2]);
});

Deno.test("before the first list nobody is called offline", () => {
  const { came, went, wait, list, told, shown } = watch();
  shown.add(7); // as a replica that was here before has written
  came("a", 1);
  went("a");
  wait(60_000);
  assert.deepEqual(told, ["0 1 online"]);
  list({});
  // That one connection has gone does not tell that it was the only one.
  assert.deepEqual(told.slice(1), []);
  wait(PATIENCE);
  list({});
  assert.deepEqual(told.slice(1).toSorted(), [
    "65000 1 offline since 60000",
    "65000 7 offline since 60000",
  ]);
});

Deno.test("while the broker is away nobody is called offline, and afterwards two lists decide", () => {
  const { came, went, wait, list, told, state } = watch();
  list({});
  for (const node of [1, 2, 3]) came(`${node}`, node);
  went("3");
  state.forget();
  wait(60_000);
  assert.equal(told.length, 3);
  list({ a: 1 });
  came("b", 2);
  wait(PATIENCE - 1);
  list({ a: 1, b: 2 });
  wait(1);
  assert.equal(told.length, 3);
  list({ a: 1, b: 2 });
  assert.deepEqual(told.slice(3), ["65000 3 offline since 60000"]);
});

Deno.test("a list that counts afresh forgets what earlier ones lacked", () => {
  const { state, came, list, wait, shown } = watch();
  list({});
  came("a", 1);
  state.forget();
  list({});
  wait(PATIENCE);
  const at = 2 * PATIENCE;
  state.endList(state.beginList(), new Map(), {
    recorded: [1],
    at,
    patienceMs: PATIENCE,
    afresh: true,
  });
  assert.equal(state.verdict(1, at), undefined);
  state.endList(state.beginList(), new Map(), {
    recorded: [1],
    at: at + PATIENCE,
    patienceMs: PATIENCE,
  });
  assert.deepEqual(state.verdict(1, at + PATIENCE), { status: "offline", since: at });
  assert.ok(shown.has(1));
});

Deno.test("a list that was begun before the broker was away counts for nothing", () => {
  const { state } = watch();
  const list = state.beginList();
  state.forget();
  assert.equal(
    state.endList(list, new Map([["a", 1]]), { recorded: [], at: 0, patienceMs: 0 }),
    false,
  );
  assert.equal(state.known, false);
});

Deno.test("what another replica showed wrongly is mended: online by comparing, offline by two lists", () => {
  const { came, wait, list, told, shown, compare } = watch();
  list({});
  came("a", 1);
  shown.delete(1);
  shown.add(2);
  compare();
  assert.deepEqual(told, ["0 1 online", "0 1 online"]);
  list({ a: 1 });
  compare();
  assert.equal(shown.has(2), true);
  wait(PATIENCE);
  compare();
  assert.equal(shown.has(2), true);
  list({ a: 1 });
  assert.deepEqual([...shown], [1]);
});

Deno.test("an offline that could not be written is written with the time of the loss", () => {
  const { came, went, wait, list, state, shown } = watch();
  list({});
  came("a", 1);
  wait(1000);
  went("a");
  assert.deepEqual(state.due(3000), [1]); // and the database did not answer
  assert.deepEqual(state.verdict(1, 60_000), { status: "offline", since: 1000 });
  assert.deepEqual(state.differing([...shown], 60_000), [1]);
  state.recordedOffline(1, 999); // of an earlier absence
  assert.deepEqual(state.differing([...shown], 60_000), [1]);
  state.recordedOffline(1, 1000);
  assert.equal(state.verdict(1, 60_000), undefined);
});

Deno.test("a connection that goes is not taken for the last one where a list has lacked its node, or there was none yet", () => {
  for (const isFirst of [true, false]) {
    const { came, went, wait, list, state, shown, told } = watch();
    list({});
    came("a", 1);
    state.forget();
    // The list that lacks "a" comes before another connection comes and goes, or after.
    if (isFirst) list({});
    came("b", 1);
    went("b");
    if (!isFirst) list({});
    wait(2 * GRACE);
    assert.ok(shown.has(1), `${isFirst}`);
    list({ a: 1 });
    wait(2 * GRACE);
    assert.ok(shown.has(1));
    went("a");
    wait(GRACE);
    assert.match(told.at(-1)!, /1 offline/);
  }
});

Deno.test("1,000 nodes that renew their connections all the time are never called offline", () => {
  const { came, went, wait, list, told, state } = watch();
  list({});
  const connections = new Map<ConnectionId, number>();
  let number = 0;
  function open(node: number): void {
    const connection = `server ${++number}`;
    connections.set(connection, node);
    came(connection, node);
  }
  for (let node = 0; node < 1000; node++) open(node);
  for (let turn = 0; turn < 50; turn++) {
    // Pages of 400 that move: at their edges some are lost, others each time.
    const listed = [...connections].filter((_, index) => index % 400 < 390 - turn % 7);
    list(Object.fromEntries(listed), GRACE);
    for (const [connection, node] of [...connections].slice(0, 100)) {
      open(node);
      connections.delete(connection);
      went(connection);
    }
    wait(GRACE);
  }
  assert.equal(told.length, 1000);
  assert.equal(state.connectedNodes.length, 1000);
});

Deno.test("whatever happens, a connected node is called offline only by two lists that lack it", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constantFrom("came", "went"),
      connection: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({ kind: fc.constant("wait"), connection: fc.integer({ min: 0, max: 9 }) }),
    fc.record({
      kind: fc.constantFrom("list", "lacking list"),
      connection: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({ kind: fc.constantFrom("forget", "compare"), connection: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { came, went, wait, list, compare, state, shown } = watch();
      /** The truth: three nodes share ten connections. */
      const open = new Map<string, number>();
      let lackingInARow = 0;
      for (const { kind, connection } of steps) {
        const [id, node] = [`${connection}`, connection % 3];
        if (kind === "came" && !open.has(id)) came(id, open.set(id, node).get(id)!);
        else if (kind === "went" && open.delete(id)) went(id);
        else if (kind === "wait") wait(connection * 200);
        else if (kind === "list") list(Object.fromEntries(open), GRACE), lackingInARow = 0;
        else if (kind === "lacking list" && lackingInARow === 0) {
          const some = [...open].filter(([, of]) => of !== node);
          list(Object.fromEntries(some), GRACE);
          lackingInARow = 1;
        } else if (kind === "forget") state.forget();
        else if (kind === "compare") compare();
        for (const [, alive] of open) assert.ok(shown.has(alive), `node ${alive} is offline`);
      }
      // Then some true lists, and what is shown is the truth.
      for (let turn = 0; turn < 3; turn++) {
        list(Object.fromEntries(open), GRACE);
        wait(GRACE);
      }
      compare();
      assert.deepEqual([...shown].toSorted(), [...new Set(open.values())].toSorted());
    }),
    { numRuns: 2000 },
  );
});
