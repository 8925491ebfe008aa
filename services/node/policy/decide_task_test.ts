import assert from "node:assert/strict";
import { decideTask } from "./decide_task.ts";
import type { Policy, TaskRequest } from "./policy.ts";

const DIGEST = "a1".repeat(32);

const task: TaskRequest = {
  image: "deno:average@1.0",
  user: { id: 7 },
  organization: { id: 3, name: "Alpha" },
  databases: ["default"],
};

function reasonFor(change: Partial<TaskRequest>, policy: Policy): string {
  const decision = decideTask({ ...task, ...change }, policy);
  assert.ok(!decision.allowed, "was allowed");
  return decision.reason;
}

Deno.test("decideTask() without rules allows the node's own algorithms and nothing else", () => {
  assert.ok(decideTask(task, {}).allowed);
  const url = "deno:https://example.org/a.ts#sha256=00";
  for (
    const image of [url, "registry.example/v6/average:1", "deno:../x@1", "deno:average", "deno:@1"]
  ) {
    assert.match(reasonFor({ image }, {}), /no policies\.allowed_algorithms are configured/);
  }
});

Deno.test("decideTask() with an empty list refuses everything", () => {
  assert.match(reasonFor({}, { allowedAlgorithms: [] }), /allowed_algorithms is empty/);
});

Deno.test("decideTask() goes by users and organizations, of which one is enough", () => {
  assert.ok(decideTask(task, { allowedUsers: [7] }).allowed);
  assert.ok(decideTask(task, { allowedOrganizations: [3] }).allowed);
  assert.ok(decideTask(task, { allowedOrganizations: ["Alpha"] }).allowed);
  assert.ok(decideTask(task, { allowedUsers: [1], allowedOrganizations: [3] }).allowed);
  assert.match(reasonFor({}, { allowedUsers: [1] }), /user 7 is not in policies\.allowed_users/);
  assert.match(reasonFor({}, { allowedUsers: [] }), /allowed_users/);
  assert.match(
    reasonFor({}, { allowedOrganizations: ["alpha", 4] }),
    /organization 3 \("Alpha"\) is not in policies\.allowed_organizations/,
  );
  const both = reasonFor({}, { allowedUsers: [1], allowedOrganizations: [1] });
  assert.match(both, /allowed_users, and .*allowed_organizations/);
});

Deno.test("decideTask() takes users by their exact name, and never a name for an id", () => {
  const alice = { id: 7, name: "alice" };
  assert.ok(decideTask({ ...task, user: alice }, { allowedUsers: [12, "alice"] }).allowed);
  const names = ["Alice", "alice ", " alice", "alice2", "\u0430lice", "7", ""];
  for (const name of names) {
    const reason = reasonFor({ user: { id: 9, name } }, { allowedUsers: [12, 7, "alice"] });
    assert.ok(reason.includes(`user 9 (${JSON.stringify(name)}) is not in`), reason);
  }
  assert.match(reasonFor({ user: { id: 12, name: "x" } }, { allowedUsers: ["12"] }), /user 12/);
  assert.match(reasonFor({ user: { id: 9, name: "12" } }, { allowedUsers: [12] }), /user 9/);
  for (const name of [null, undefined]) {
    const reason = reasonFor({ user: { id: 7, name } }, { allowedUsers: ["alice", "null"] });
    assert.match(reason, /user 7, whose name the hub did not tell, is not in/);
  }
});

const STORE = "https://store.example/api";

Deno.test("decideTask() goes by the algorithm store, of all of its address", () => {
  for (const entry of [STORE, `${STORE}/`, "https://store\\.example/.*", "x|https://.*/api"]) {
    const policy = { allowedStores: [entry] };
    assert.ok(decideTask({ ...task, image: "v6/average:1", store: STORE }, policy).allowed, entry);
    assert.ok(decideTask({ ...task, store: `${STORE}/` }, policy).allowed, entry);
  }
  const strangers = [
    "https://store.example",
    "https://store.example/api/evil",
    "https://store.example.evil/api",
    "https://evil.example/https://store.example/api",
    "http://store.example/api",
    "https://storeXexample/api",
  ];
  for (const store of strangers) {
    for (
      const entry of [STORE, "https://store\\.example/api", "https://store\\.example/(a|b|api)"]
    ) {
      assert.match(
        reasonFor({ store }, { allowedStores: [entry] }),
        /its store .* is not in policies\.allowed_algorithm_stores/,
        `${entry} ${store}`,
      );
    }
  }
  // From no store, or from one that the hub does not name.
  for (const store of [undefined, null, ""]) {
    assert.match(reasonFor({ store }, { allowedStores: [".*"] }), /comes from no algorithm store/);
  }
  assert.match(reasonFor({ store: STORE }, { allowedStores: [] }), /allowed_algorithm_stores/);
});

Deno.test("decideTask() wants the algorithm and its store listed, or one of them", () => {
  const lists = { allowedAlgorithms: ["v6/average"], allowedStores: [STORE] };
  const listed = { image: "v6/average:1" };
  const other = { image: "v6/other:1" };
  assert.ok(decideTask({ ...task, ...listed, store: STORE }, lists).allowed);
  assert.match(reasonFor({ ...listed, store: null }, lists), /comes from no algorithm store/);
  assert.match(reasonFor({ ...other, store: STORE }, lists), /it is not in .*allowed_algorithms/);

  const either = { ...lists, eitherAlgorithmOrStore: true };
  assert.ok(decideTask({ ...task, ...listed, store: null }, either).allowed);
  assert.ok(decideTask({ ...task, ...other, store: STORE }, either).allowed);
  assert.match(
    reasonFor({ ...other, store: null }, either),
    /not in policies\.allowed_algorithms, and it comes from no algorithm store/,
  );
});

Deno.test("decideTask() with one of two lists enough lets nothing in by the list that is not there", () => {
  const eitherAlgorithmOrStore = true;
  const algorithms = { eitherAlgorithmOrStore, allowedAlgorithms: ["v6/average"] };
  assert.ok(decideTask({ ...task, image: "v6/average:1" }, algorithms).allowed);
  assert.match(reasonFor({ image: "v6/other:1", store: STORE }, algorithms), /it is not in/);
  assert.match(reasonFor({ store: STORE }, algorithms), /it is not in/);
  const stores = { eitherAlgorithmOrStore, allowedStores: [STORE] };
  assert.ok(decideTask({ ...task, image: "v6/other:1", store: STORE }, stores).allowed);
  assert.match(reasonFor({ image: "v6/average:1" }, stores), /no algorithm store/);
  assert.match(reasonFor({}, stores), /no algorithm store/);
  const none = { eitherAlgorithmOrStore };
  assert.ok(decideTask(task, none).allowed, "the node's own, as without any rule");
  assert.match(reasonFor({ image: "v6/other:1", store: STORE }, none), /no policies/);
  const empty = { eitherAlgorithmOrStore, allowedAlgorithms: [], allowedStores: [] };
  assert.match(reasonFor({ store: STORE }, empty), /allowed_algorithms is empty.*, and its store/);
});

Deno.test("decideTask() refuses the basics image where that is not wanted, and exempts it from nothing", () => {
  const image = "harbor2.vantage6.ai/algorithms/basics";
  const anything = { allowedAlgorithms: [".*"] };
  const forms = [
    image,
    `${image}:latest`,
    `${image}@sha256:${DIGEST}`,
    `${image}:1@sha256:${DIGEST}`,
    "harbor2.vantage6.ai:443/algorithms/basics:1",
    "ghcr.io/vantage6/algorithm-basics",
    "ghcr.io/vantage6/algorithm-basics:latest",
    `ghcr.io/vantage6/algorithm-basics@sha256:${DIGEST}`,
  ];
  for (const image of forms) {
    assert.match(
      reasonFor({ image }, { ...anything, allowBasics: false }),
      /allow_basics_algorithm is false/,
      image,
    );
    assert.ok(decideTask({ ...task, image }, { ...anything, allowBasics: true }).allowed);
    for (const allowBasics of [true, undefined]) {
      assert.match(reasonFor({ image }, { allowBasics }), /no policies\.allowed_algorithms/);
      assert.match(
        reasonFor({ image }, { allowBasics, allowedAlgorithms: ["v6/x"] }),
        /it is not in policies\.allowed_algorithms/,
      );
    }
  }
  for (
    const other of [`${image}2`, "evil.example/algorithms/basics", `${image}/more`]
      .concat("ghcr.io/vantage6/algorithm-basics2", "ghcr.io/evil/algorithm-basics")
  ) {
    assert.ok(decideTask({ ...task, image: other }, { ...anything, allowBasics: false }).allowed);
  }
});

Deno.test("decideTask() gives an algorithm only its databases", () => {
  const policy = { algorithms: [{ name: "deno:average", databases: ["default"] }] };
  assert.ok(decideTask(task, policy).allowed);
  assert.match(
    reasonFor({ databases: ["default", "genes"] }, policy),
    /the database "genes" .* lists the databases default/,
  );
  assert.match(reasonFor({ image: "deno:sum@1" }, policy), /not in policies\.algorithms/);
});

Deno.test("decideTask() lets no other tag and no digest escape an algorithm's rule", () => {
  const methods = { partial: {} };
  const lists: Policy[] = [
    { allowedAlgorithms: ["x/avg"] },
    { allowedAlgorithms: [".*"] },
    { allowedStores: [STORE], eitherAlgorithmOrStore: true },
  ];
  const others = [
    `x/avg@sha256:${DIGEST}`,
    `x/avg:1.0@sha256:${DIGEST}`,
    "x/avg:2.0",
    "x/avg",
  ];
  for (const list of lists) {
    for (const name of ["x/avg:1.0", "x/avg:1\\.0", "x/(avg|sum):1\\.0", "x/avg(:1\\.0|:1\\.1)"]) {
      const policy = { ...list, algorithms: [{ name, methods }] };
      const here = { ...task, store: STORE };
      assert.ok(decideTask({ ...here, image: "x/avg:1.0" }, policy).allowed, name);
      for (const image of others) {
        assert.match(
          reasonFor({ image, store: STORE }, policy),
          /a rule for .*, and none for this version/,
          `${name} ${image}`,
        );
      }
      if (list.allowedAlgorithms?.[0] === "x/avg") continue;
      assert.ok(decideTask({ ...here, image: "x/average:2" }, policy).allowed, "of another name");
    }
  }
  const anything: Policy = { allowedAlgorithms: [".*"] };
  const hub = { ...anything, algorithms: [{ name: "x/avg:1.0", methods }] };
  assert.match(reasonFor({ image: "docker.io/x/avg:1.0" }, hub), /none for this version/);
  const own = { ...anything, algorithms: [{ name: "deno:average@1.0", methods }] };
  assert.match(reasonFor({ image: "deno:average@1.1" }, own), /none for this version/);
  const both = { ...anything, algorithms: [{ name: "x/avg:1.0" }, { name: "x/avg" }] };
  assert.ok(decideTask({ ...task, image: "x/avg:2.0" }, both).allowed, "a rule for the rest");
});

Deno.test("decideTask() knows an algorithm that a rule is for in every form of its reference", () => {
  const pairs: [name: string, image: string][] = [
    ["average:1", "index.docker.io/library/average:2"],
    ["hub.example/average:1", "hub.example:443/average:1"],
    [`v6/average@sha256:${DIGEST}`, "v6/average:1.0"],
    [`v6/average@sha256:${DIGEST}`, `mirror.example/avg@sha256:${DIGEST}`],
    ["hub\\.example/v6/average:[0-9.]+", `hub.example/v6/average@sha256:${DIGEST}`],
    ["deno:average@1\\..*", "deno:average@2.0"],
    [
      `deno:https://a.example/x.ts#sha256=${DIGEST}`,
      `deno:https://b.example/y.ts#sha256=${DIGEST}`,
    ],
    [`deno:https://a.example/x.ts#sha256=${DIGEST}`, "deno:https://A.example:443/x.ts#sha256=00"],
  ];
  for (const [name, image] of pairs) {
    const policy = { allowedAlgorithms: [".*"], algorithms: [{ name }] };
    assert.match(reasonFor({ image }, policy), /none for this version/, `${name} ${image}`);
  }
});

Deno.test("decideTask() takes no other algorithm for a version of one that a rule is for", () => {
  const pairs: [name: string, image: string][] = [
    ["v6/average:1.0", "v6/averages:1.0"],
    ["v6/average:1.0", "hub.example/v6/average:1.0"],
    ["v6/(average|sum):1", "v6/median:1"],
    ["deno:average@1.0", "deno:median@1.0"],
    [`sha256:${DIGEST}`, "v6/average:1.0"],
  ];
  for (const [name, image] of pairs) {
    const policy = { allowedAlgorithms: [".*"], algorithms: [{ name }] };
    assert.ok(decideTask({ ...task, image }, policy).allowed, `${name} ${image}`);
  }
});
