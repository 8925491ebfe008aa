import assert from "node:assert/strict";
import type { Algorithm } from "../../../shared/contract/algorithm.ts";
import type { Node } from "../../../shared/contract/node.ts";
import { description as average } from "../../node/algorithms/average@1.0.0.ts";
import { writtenDescription } from "../../../shared/node_protocol/description.ts";
import {
  type Argument,
  argumentOf,
  columnsOf,
  fieldValueOf,
  methodsOf,
  readArguments,
  type Site,
  troubleAt,
  usualSites,
} from "./draft.ts";

const AVERAGE = {
  image: "deno:average@1.0.0",
  name: "average",
  version: "1.0.0",
  digest: "sha256:1",
  description: writtenDescription.parse(average),
  online: true,
  nodes: [toldBy(1), toldBy(2)],
} satisfies Algorithm;

function toldBy(id: number): Algorithm["nodes"][number] {
  const reference = { id, link: "", methods: [] };
  return {
    id,
    name: `node ${id}`,
    status: "online",
    organization: reference,
    collaboration: reference,
    methods: ["central", "partial"],
  };
}

function site(id: number, node?: Partial<Node>): Site {
  const organization = { id, name: `organization ${id}`, public_key: null };
  return { organization, node: node && { id, status: "online", config: [], ...node } as Node };
}

function shared(...entries: [key: string, value: string][]): Pick<Node, "config"> {
  return { config: entries.map(([key, value]) => ({ key, value })) };
}

function argument(some: Partial<Argument>): Argument {
  return { type: "text", label: "It", help: "What it is", ...some };
}

Deno.test("argumentOf() makes of a field what its type asks for, and nothing of an empty one", () => {
  const cases: [Partial<Argument>, Parameters<typeof argumentOf>[1], unknown][] = [
    [{ type: "number" }, " 1.5 ", 1.5],
    [{ type: "integer" }, "007", 7],
    [{ type: "number" }, "many", "many"],
    [{ type: "number" }, "", undefined],
    [{ type: "text" }, " a ", " a "],
    [{ type: "boolean" }, false, false],
    [{ type: "choice", choices: [1, 2] }, "2", 2],
    [{ type: "columns" }, "a, b,", ["a", "b"]],
    [{ type: "columns" }, ["b"], ["b"]],
    [{ type: "columns" }, [], undefined],
    [{ type: "organizations" }, ["3"], [3]],
    [{ type: "list" }, "[1]", [1]],
  ];
  for (const [some, field, expected] of cases) {
    assert.deepEqual(argumentOf(argument(some), field), expected, JSON.stringify([some, field]));
  }
  assert.throws(() => argumentOf(argument({ type: "object" }), "{"), /not JSON/);
});

Deno.test("fieldValueOf() shows the default, and what an earlier task was called with", () => {
  assert.equal(fieldValueOf(argument({ type: "number", default: 0.95 })), "0.95");
  assert.equal(fieldValueOf(argument({ type: "number", default: 0.95 }), 0.9), "0.9");
  assert.deepEqual(fieldValueOf(argument({ type: "organizations" }), [1, 2]), ["1", "2"]);
  assert.equal(fieldValueOf(argument({ type: "object" }), { a: 1 }), '{"a":1}');
  assert.equal(fieldValueOf(argument({ type: "boolean" })), false);
});

Deno.test("readArguments() says what is wrong with each field, in the words of the algorithm", () => {
  const described = {
    n: argument({ type: "integer", min: 1 }),
    share: argument({ type: "number", max: 1 }),
    more: argument({ optional: true }),
  };
  assert.deepEqual(readArguments("m", described, { n: "0", share: "2" }).wrong, {
    n: 'The argument "n" must be a whole number of at least 1.',
    share: 'The argument "share" must be a number of at most 1.',
  });
  assert.deepEqual(readArguments("m", described, { n: "3", share: "0.5" }), {
    kwargs: { n: 3, share: 0.5 },
    wrong: {},
  });
  assert.deepEqual(Object.keys(readArguments("m", described, {}).wrong), ["n", "share"]);
});

Deno.test("usualSites() sends what asks others to one's own organization, else the first with a node", () => {
  const sites = [site(1), site(2, {}), site(3, {})];
  const of = (ownId: number, method: string) =>
    usualSites(sites, { algorithm: AVERAGE, method, ownId });
  assert.deepEqual(of(3, "central"), [3]);
  assert.deepEqual(of(1, "central"), [2]);
  // Node 2 alone tells of it.
  assert.deepEqual(of(3, "partial"), [2]);
});

Deno.test("methodsOf() offers what is described and not internal, else what nodes tell", () => {
  assert.deepEqual(methodsOf(AVERAGE).map(({ name }) => name), ["central", "partial"]);
  assert.deepEqual(methodsOf({ ...AVERAGE, description: null }).map(({ name }) => name), [
    "central",
    "partial",
  ]);
});

Deno.test("troubleAt() tells every reason that the owner shares, and none where all is well", () => {
  const question = {
    image: AVERAGE.image,
    algorithm: AVERAGE,
    method: "partial",
    databases: ["default"],
    encrypted: false,
    me: { id: 7, username: "rosa", organizationId: 2 },
  };
  const container = { ...question, algorithm: undefined, image: "registry.example/a:1" };
  const told = (node: Partial<Node> | undefined, asked: Partial<typeof question> = {}) =>
    troubleAt(site(1, node), { ...question, ...asked });
  assert.deepEqual(told({}), []);
  assert.match(told(undefined).join(), /no node/);
  assert.match(told({ status: "offline" }).join(), /offline/);
  assert.match(troubleAt(site(9, {}), question).join(), /does not tell of this algorithm/);
  assert.match(told({}, { method: "other" }).join(), /does not let other be called/);
  assert.match(told(shared(["encryption", "true"])).join(), /encryption differs/);
  assert.match(told(shared(["allowed_users", "8"])).join(), /lets other people/);
  assert.deepEqual(told(shared(["allowed_users", "8"], ["allowed_orgs", "2"])), []);
  assert.match(told(shared(["database_labels", "heart"])).join(), /no database "default"/);
  const refused = shared(["allowed_algorithms", "registry\\.example/b:.*"]);
  assert.match(troubleAt(site(1, refused), container).join(), /allows other algorithms/);
  const allowed = shared(["allowed_algorithms", "registry\\.example/.*"]);
  assert.deepEqual(troubleAt(site(1, allowed), container), []);
});

Deno.test("columnsOf() offers the columns that all sites have that share theirs", () => {
  const one = site(1, shared(["columns_default", "age"], ["columns_default", "sex"]));
  const other = site(2, shared(["columns_default", "sex"], ["columns_more", "age"]));
  assert.deepEqual(columnsOf([one, other, site(3, {})], "default"), ["sex"]);
  assert.deepEqual(columnsOf([site(3, {})], "default"), []);
});
