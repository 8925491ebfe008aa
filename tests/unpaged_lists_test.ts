/**
 * Lists that are not asked for in pages: whole, in order, and never in memory as a whole.
 * @module
 */
import assert from "node:assert/strict";
import { MOST_ALGORITHMS } from "../shared/node_protocol/algorithms.ts";
import { TOLD } from "./support/algorithms.ts";
import { useTestHub } from "./support/hub.ts";

const hub = useTestHub();
const MANY = 1200;

/** Puts rows into every table that a list is made of. */
async function fill(): Promise<void> {
  const { identity, collaboration, task } = hub().db;
  await identity`insert into organization (name)
    select 'listed ' || n from generate_series(1, ${MANY}) as n`;
  await identity`insert into "user" (username, password_hash, email, organization_id)
    select 'listed ' || n, 'x', n || '@listed.example', 1 from generate_series(1, ${MANY}) as n`;
  await identity`insert into role (name, description, organization_id)
    select 'listed ' || n, '', 1 from generate_series(1, ${MANY}) as n`;
  await collaboration`insert into collaboration (name)
    select 'listed ' || n from generate_series(1, ${MANY}) as n`;
  await collaboration`insert into collaboration_member (collaboration_id, organization_id)
    select id, 1 from collaboration`;
  await collaboration`insert into study (name, collaboration_id)
    select 'listed ' || id, id from collaboration`;
  await collaboration`insert into node (name, api_key_sha256, organization_id, collaboration_id)
    select 'listed ' || id, id::text, 1, id from collaboration`;
  await collaboration`insert into node_config (node_id, key, value)
    select id, 'k', id::text from node`;
  await collaboration`insert into algorithm_store (name, url, collaboration_id)
    select 'listed', 'https://' || id || '.example', id from collaboration`;
  await task`
    insert into task (name, description, image, job_id, collaboration_id, init_org_id, init_user_id)
    select 'listed ' || n, '', 'image', n, 1, 1, 1 from generate_series(1, ${MANY}) as n`;
  await task`
    insert into result (task_id, task_collaboration_id, organization_id, node_id, status, input)
    select id, 1, 1, 1, 'completed', 'aW5wdXQ=' from task`;
}

/** Lets a node of its own tell of as many algorithms as it may. */
async function tellMany(): Promise<void> {
  const make = async (path: string, body: unknown) =>
    (await hub().call("POST", path, { token: hub().root, body })).body;
  const place = { name: "Telling", organization_ids: [1], encrypted: false };
  const { id: collaboration_id } = await make("/collaboration", place);
  const { id, api_key } = await make("/node", { organization_id: 1, collaboration_id });
  const { body } = await hub().call("POST", "/token/node", { body: { api_key } });
  const algorithms = Array.from({ length: MOST_ALGORITHMS }, (_, n) => ({
    ...TOLD,
    image: `deno:tally${n}@1.0.0`,
  }));
  const told = await hub().call("PUT", `/node/${id}/algorithms`, {
    token: body.access_token,
    body: { algorithms },
  });
  assert.equal(told.status, 200, JSON.stringify(told.body));
}

const LISTS: Record<string, [query: string, least: number]> = {
  organization: ["sort=-name", MANY],
  user: ["sort=-username", MANY],
  role: ["sort=-name", MANY],
  rule: ["sort=-id", 50],
  collaboration: ["sort=-name&include=organizations", MANY],
  study: ["sort=-name&include=organizations", MANY],
  node: ["sort=-name", MANY],
  algorithmstore: ["sort=-url", MANY],
  algorithm: ["sort=-name", MOST_ALGORITHMS],
  task: ["sort=-name&include=runs,results", MANY],
  run: ["sort=-id", MANY],
  result: ["sort=-id", MANY],
};

Deno.test("every list without paging is what its pages are together, with its number", async () => {
  await fill();
  await tellMany();
  for (const [noun, [query, least]] of Object.entries(LISTS)) {
    const list = async (more = "") => {
      const path = `/${noun}?${query}${more}`;
      const { status, body, headers } = await hub().call("GET", path, { token: hub().root });
      assert.equal(status, 200, `${noun}: ${JSON.stringify(body).slice(0, 300)}`);
      return { ...body, total: Number(headers.get("total-count")) };
    };
    const whole = await list();
    assert.ok(whole.data.length >= least, `${noun}: ${whole.data.length}`);
    assert.equal(whole.total, whole.data.length, noun);
    assert.equal("next" in whole.links, false, noun);
    const half = Math.ceil(whole.data.length / 2);
    const [first, second] = [
      await list(`&per_page=${half}`),
      await list(`&per_page=${half}&page=2`),
    ];
    assert.deepEqual([...first.data, ...second.data], whole.data, noun);
    assert.equal(first.total, whole.total, noun);
  }
});

Deno.test("a list that fails with its first batch says so, as any request does", async () => {
  const { collaboration } = hub().db;
  await collaboration`alter table node_config rename to node_config_away`;
  try {
    const { status, body } = await hub().call("GET", "/node", { token: hub().root });
    assert.equal(status, 500);
    assert.equal(typeof body.msg, "string");
  } finally {
    await collaboration`alter table node_config_away rename to node_config`;
  }
});
