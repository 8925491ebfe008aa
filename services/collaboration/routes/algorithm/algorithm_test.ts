import assert from "node:assert/strict";
import {
  MOST_ALGORITHM_BYTES,
  type ToldAlgorithm,
} from "../../../../shared/node_protocol/algorithms.ts";
import { TOLD } from "../../../../tests/support/algorithms.ts";
import { PASSWORD, useTestHub } from "../../../../tests/support/hub.ts";

const hub = useTestHub();
let serial = 0;

async function make(path: string, body: unknown) {
  const answer = await hub().call("POST", path, { token: hub().root, body });
  assert.ok(answer.status <= 201, JSON.stringify(answer.body));
  return answer.body;
}

/** A collaboration with as many organizations, each with its node. */
async function newPlace(members: number) {
  const name = `Algorithms ${++serial}`;
  const organizations: number[] = [];
  for (let n = 1; n <= members; n++) {
    organizations.push((await make("/organization", { name: `${name} ${n}` })).id);
  }
  const { id } = await make("/collaboration", {
    name,
    organization_ids: organizations,
    encrypted: false,
  });
  const nodes = [];
  for (const organization_id of organizations) {
    const node = await make("/node", { organization_id, collaboration_id: id });
    const login = await hub().call("POST", "/token/node", { body: { api_key: node.api_key } });
    nodes.push({
      id: node.id as number,
      token: login.body.access_token as string,
      organization_id,
    });
  }
  return { id: id as number, nodes };
}

type Node = Awaited<ReturnType<typeof newPlace>>["nodes"][number];

const tell = ({ id, token }: Node, ...algorithms: unknown[]) =>
  hub().call("PUT", `/node/${id}/algorithms`, { token, body: { algorithms } });
const list = (query: string, token = hub().root) =>
  hub().call("GET", `/algorithm?${query}`, { token });

function digestOf(letter: string): string {
  return `sha256:${letter.repeat(64)}`;
}

Deno.test("GET /algorithm groups what nodes tell by image, digest and description", async () => {
  const { id, nodes: [first, second, third] } = await newPlace(3);
  const other = { ...TOLD, image: "deno:other@2.1.0", description: null, methods: ["all"] };
  assert.equal((await tell(first!, TOLD, other)).status, 200);
  assert.equal((await tell(second!, { ...TOLD, methods: ["central"] })).status, 200);
  // Other code under the same name, and other words on the same code.
  const lie = { ...TOLD.description!, summary: "Sends all rows away." };
  assert.equal((await tell(third!, { ...TOLD, description: lie })).status, 200);
  const { status, body } = await list(`collaboration_id=${id}&sort=name`);
  assert.equal(status, 200);
  // deno-lint-ignore no-explicit-any -- looks into what came
  const shown = body.data.map(({ name, version, description, nodes, online }: any) => ({
    name,
    version,
    summary: description?.summary ?? null,
    online,
    // deno-lint-ignore no-explicit-any -- looks into what came
    nodes: nodes.map((one: any) => [one.id, one.organization.id, one.methods]),
  }));
  // deno-lint-ignore no-explicit-any -- looks into what came
  shown.sort((a: any, b: any) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : b.nodes.length - a.nodes.length
  );
  assert.deepEqual(shown, [
    {
      name: "other",
      version: "2.1.0",
      summary: null,
      online: false,
      nodes: [[first!.id, first!.organization_id, ["all"]]],
    },
    {
      name: "tally",
      version: "1.0.0",
      summary: TOLD.description!.summary,
      online: false,
      nodes: [
        [first!.id, first!.organization_id, ["central", "partial"]],
        [second!.id, second!.organization_id, ["central"]],
      ],
    },
    {
      name: "tally",
      version: "1.0.0",
      summary: lie.summary,
      online: false,
      nodes: [[third!.id, third!.organization_id, ["central", "partial"]]],
    },
  ]);
  await tell(third!, { ...TOLD, digest: digestOf("b") });
  assert.equal((await list(`collaboration_id=${id}&image=${TOLD.image}`)).body.data.length, 2);
  const { data: [changed] } = (await list(`collaboration_id=${id}&digest=${digestOf("b")}`)).body;
  assert.equal(changed.nodes[0].id, third!.id);
});

Deno.test("GET /algorithm shows a description as it was told, with its arguments in their order", async () => {
  const { id, nodes: [node] } = await newPlace(1);
  const turned = structuredClone(TOLD);
  const { column, above } = turned.description!.methods.central!.arguments;
  turned.description!.methods.central!.arguments = { above: above!, column: column! };
  await tell(node!, turned);
  const { data: [shown] } = (await list(`collaboration_id=${id}`)).body;
  const { central } = shown.description.methods;
  assert.deepEqual(Object.keys(central.arguments), ["above", "column"]);
  assert.deepEqual(shown.description, turned.description);
});

Deno.test("GET /algorithm comes in pages that are filtered and sorted", async () => {
  const { id, nodes: [first, second] } = await newPlace(2);
  const named = (name: string) => ({ ...TOLD, image: `deno:${name}@1.0.0` });
  await tell(first!, ...["a1", "a2", "b1"].map(named));
  await tell(second!, ...["b1", "b2"].map(named));
  const names = async (query: string) => {
    const { body, headers } = await list(`collaboration_id=${id}&${query}`);
    return [
      body.data.map(({ name }: { name: string }) => name).join(" "),
      headers.get("total-count"),
    ];
  };
  assert.deepEqual(await names(""), ["a1 a2 b1 b2", "4"]);
  assert.deepEqual(await names("sort=-name&per_page=3"), ["b2 b1 a2", "4"]);
  assert.deepEqual(await names("sort=-name&per_page=3&page=2"), ["a1", "4"]);
  assert.deepEqual(await names("name=b%25"), ["b1 b2", "2"]);
  assert.deepEqual(await names(`organization_id=${second!.organization_id}`), ["b1 b2", "2"]);
  const study = await make("/study", {
    name: `Algorithms ${++serial}`,
    collaboration_id: id,
    organization_ids: [first!.organization_id],
  });
  assert.deepEqual(await names(`study_id=${study.id}`), ["a1 a2 b1", "3"]);
  assert.equal((await list("sort=description")).status, 400);
  assert.equal((await list("collaboration_id=x")).status, 400);
});

Deno.test("GET /algorithm is for those who may see the nodes", async () => {
  const [own, foreign] = [await newPlace(2), await newPlace(1)];
  await tell(own.nodes[1]!, TOLD);
  await tell(foreign.nodes[0]!, TOLD);
  const [role] =
    (await hub().call("GET", "/role?name=Researcher", { token: hub().root })).body.data;
  const username = `algorithms-${serial}`;
  await make("/user", {
    username,
    password: PASSWORD,
    firstname: "A",
    lastname: "B",
    email: `${username}@clinic.example`,
    organization_id: own.nodes[0]!.organization_id,
    roles: [role.id],
  });
  const token = await hub().login(username);
  const shown = await list(`collaboration_id=${own.id}`, token);
  assert.equal(shown.status, 200);
  assert.deepEqual(shown.body.data[0].nodes.map(({ id }: Node) => id), [own.nodes[1]!.id]);
  assert.equal((await list(`collaboration_id=${foreign.id}`, token)).status, 401);
  assert.equal((await list("collaboration_id=999999", token)).status, 401);
  assert.equal((await list("collaboration_id=999999")).status, 404);
  const all = await list(`image=${TOLD.image}`, token);
  assert.deepEqual(all.body.data[0].nodes.map(({ id }: Node) => id), [own.nodes[1]!.id]);
  // As of the nodes themselves, a node may know of its own organization's alone.
  assert.equal((await list(`collaboration_id=${own.id}`, own.nodes[0]!.token)).status, 401);
  assert.deepEqual((await list("", own.nodes[0]!.token)).body.data, []);
  assert.equal((await list("", own.nodes[1]!.token)).body.data.length, 1);
});

Deno.test("a node tells of itself alone, and nothing that is too large or no description", async () => {
  const { id, nodes: [node, other] } = await newPlace(2);
  const body = { algorithms: [TOLD] };
  const put = (path: string, token: string) => hub().call("PUT", path, { token, body });
  assert.equal((await put(`/node/${other!.id}/algorithms`, node!.token)).status, 401);
  assert.equal((await put(`/node/${node!.id}/algorithms`, hub().root)).status, 401);
  assert.equal((await put("/node/999999/algorithms", node!.token)).status, 404);
  const { description } = TOLD;
  const central = description!.methods.central!;
  const withMethod = (method: unknown) => ({
    ...TOLD,
    description: { ...description, methods: { central: method } },
  });
  const withArgument = (argument: unknown) =>
    withMethod({ ...central, arguments: { column: argument } });
  const column = central.arguments.column!;
  const many = (count: number, one: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, one]));
  const wrong: unknown[] = [
    { ...TOLD, image: "ghcr.io/some/image" },
    { ...TOLD, image: "deno:a b" },
    { ...TOLD, digest: "sha256:abc" },
    { ...TOLD, image: `deno:https://x.example/a.js#sha256=${"b".repeat(64)}` },
    { ...TOLD, methods: Array(201).fill("a") },
    { ...TOLD, methods: ["a\u001b[31m"] },
    { ...TOLD, description: undefined },
    { ...TOLD, description: { ...description, version: "one" } },
    { ...TOLD, description: { ...description, name: "../tally" } },
    { ...TOLD, description: { ...description, summary: "x".repeat(1001) } },
    { ...TOLD, description: { ...description, summary: "NUL \0" } },
    { ...TOLD, description: { ...description, summary: "turned \u202e round" } },
    { ...TOLD, description: { ...description, databases: 33 } },
    { ...TOLD, description: { ...description, citations: Array(101).fill("a") } },
    { ...TOLD, description: { ...description, methods: many(101, central) } },
    {
      ...TOLD,
      description: { ...description, methods: many(90, { ...central, help: "x".repeat(999) }) },
    },
    withMethod({ ...central, arguments: many(101, column) }),
    withMethod({ ...central, outputs: Array(101).fill(central.outputs[0]) }),
    withMethod({ ...central, outputs: [{ ...central.outputs[0], kind: "rows" }] }),
    withMethod({ ...central, internal: false }),
    withArgument({ ...column, type: "file" }),
    withArgument({ ...column, label: "" }),
    withArgument({ ...column, default: "x".repeat(2001) }),
    withArgument({ ...column, type: "choice" }),
    withArgument({ ...column, type: "choice", choices: Array(101).fill("a") }),
  ];
  for (const [index, one] of wrong.entries()) {
    const { status, body } = await tell(node!, one);
    assert.equal(status, 400, `${index}: ${JSON.stringify(one).slice(0, 200)}`);
    assert.match(body.msg, /algorithms/);
  }
  assert.equal((await tell(node!, TOLD, TOLD)).status, 400, "twice the same image");
  const images = Array.from({ length: 501 }, (_, n) => ({ ...TOLD, image: `deno:a${n}@1.0.0` }));
  assert.equal((await tell(node!, ...images)).status, 400);
  const large = { ...TOLD, more: "x".repeat(MOST_ALGORITHM_BYTES) };
  assert.equal((await tell(node!, large)).status, 413);
  assert.deepEqual((await list(`collaboration_id=${id}`)).body.data, []);
});

Deno.test("what a newer agent tells more is left out", async () => {
  const { id, nodes: [node] } = await newPlace(1);
  const { description } = TOLD;
  const told = { ...TOLD, later: 1, description: { ...description, later: { by: "far" } } };
  assert.equal((await tell(node!, told)).status, 200);
  const { data: [shown] } = (await list(`collaboration_id=${id}`)).body;
  assert.deepEqual(shown.description, description);
});

Deno.test("what a node told is replaced whole, goes with the node and with its key, and is on record", async () => {
  const { id, nodes: [node, other] } = await newPlace(2);
  const told = async () =>
    (await list(`collaboration_id=${id}`)).body.data.map(({ image }: ToldAlgorithm) => image);
  const records = async () =>
    (await hub().call("GET", `/audit?what=node.algorithms&object_id=${node!.id}`, {
      token: hub().root,
    })).body.data;
  const second = { ...TOLD, image: "deno:second@1.0.0" };
  await tell(node!, TOLD, second);
  await tell(node!, second, TOLD);
  assert.equal((await records()).length, 1, "the same once more is no change");
  await tell(node!, second);
  assert.deepEqual(await told(), ["deno:second@1.0.0"]);
  const [newest] = await records();
  assert.deepEqual([newest.who.kind, newest.who.id, newest.data], ["node", node!.id, {
    algorithms: 1,
  }]);
  await tell(node!);
  assert.deepEqual(await told(), []);
  await tell(node!, TOLD);
  await tell(other!, second);
  await hub().call("POST", "/recover/node", { token: hub().root, body: { id: node!.id } });
  assert.deepEqual(await told(), ["deno:second@1.0.0"]);
  await hub().call("DELETE", `/node/${other!.id}`, { token: hub().root });
  assert.deepEqual(await told(), []);
  const rows = await hub().db.collaboration`
    select from node_algorithm where node_id = any(${[node!.id, other!.id]})`;
  assert.equal(rows.length, 0);
});
