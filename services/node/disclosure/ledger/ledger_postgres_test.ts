/** The ledger of an agent whose data are in a real PostgreSQL, whose rows come in any order. */
import assert from "node:assert/strict";
// @ts-types="../../../../shared/storage/pg.d.ts"
import pg from "pg";
import { startTestPostgres } from "../../../../tests/harness.ts";
import { decodePayload } from "../../../../tests/support/decode_payload.ts";
import { API_KEY, type HeldResult, startHubDouble } from "../../../../tests/support/hub_double.ts";
import {
  type AgentProcess,
  nodeFolder,
  startAgentProcess,
} from "../../../../tests/support/node_agent.ts";
import { readPostgresAddress } from "../../data/postgres_address.ts";

const OWN = new URL("../../algorithms", import.meta.url).pathname;
const PLAIN = "select id, age, weight, hiv from task.patients";

interface Site {
  sql(text: string): Promise<void>;
  /** The library's sums of products of the rows that meet a condition. */
  ask(where?: string, options?: { user?: number; query?: string }): Promise<HeldResult>;
  restart(): Promise<void>;
}

async function withSite(use: (site: Site) => Promise<void>): Promise<void> {
  const postgres = await startTestPostgres();
  const address = await postgres.newDatabase("task");
  const { host, port, database, user, password } = readPostgresAddress(address);
  const client = new pg.Client({ host, port, database, user, password });
  await client.connect();
  const hub = await startHubDouble();
  const folder = await nodeFolder(hub, API_KEY, {
    algorithm_folders: [OWN],
    algorithm_library: true,
    databases: [{ label: "default", uri: address, type: "sql" }],
    disclosure: { profile: "datashield", persons: "id" },
  });
  const agents: AgentProcess[] = [];
  async function start(): Promise<void> {
    const agent = startAgentProcess(folder.configPath);
    agents.push(agent);
    await agent.ready;
  }
  try {
    await start();
    await use({
      sql: (text) =>
        new Promise((resolve, reject) =>
          client.query(new pg.Query(text), (error) => error ? reject(error) : resolve())
        ),
      async ask(where, { user = 1, query = PLAIN } = {}) {
        const kwargs = { columns: ["age", "weight"], ...where ? { where } : {} };
        const databases = [{ label: "default", query }];
        const input = { method: "partial", kwargs };
        const change = { databases, init_user_id: user };
        const image = "deno:correlation@1.0.0";
        return await hub.final(await hub.post({ image, input, change }));
      },
      async restart() {
        await agents.at(-1)!.kill9();
        await start();
      },
    });
  } finally {
    for (const agent of agents) await agent.kill9();
    await hub.stop();
    await folder.remove();
    await client.end();
    await postgres.stop();
  }
}

function isLet({ status, result, reason }: HeldResult): boolean {
  assert.equal(status, "completed", reason ?? "");
  const part = decodePayload(result!) as { n?: number | null };
  return typeof part.n === "number";
}

/** Persons of 20 to 49 with two rows each; the one of 27 has hiv. */
const FILL = `
  create table task.patients (id text, age int4, weight float8, hiv int4);
  insert into task.patients
    select 'p' || (20 + g % 30), 20 + g % 30, 60 + g % 7, case when g % 30 = 7 then 1 else 0 end
    from generate_series(0, 59) g`;

Deno.test("the ledger of a PostgreSQL database holds whatever order rows come in, whoever asks, and after kill -9", async () => {
  await withSite(async ({ sql, ask, restart }) => {
    await sql(FILL);
    assert.ok(isLet(await ask()));
    // What is updated is written anew, at the end.
    await sql("update task.patients set weight = weight where age % 3 = 1");
    assert.ok(isLet(await ask(undefined, { user: 2 })), "the same rows, in another order");
    assert.ok(!isLet(await ask("age > 20", { user: 2 })), "all but one");
    await sql("update task.patients set weight = weight where age < 30");
    await restart();
    assert.ok(!isLet(await ask("age > 20", { user: 3 })), "after a restart");
    assert.ok(isLet(await ask("age <= 34", { user: 1 })));
    assert.ok(!isLet(await ask("age > 35", { user: 2 })), "with the two before, the one of 35");
    assert.ok(isLet(await ask("age > 37", { user: 2 })), "three are enough");
  });
});

Deno.test("a query of a task cannot make persons up, choose them, or tell a value by failing", async () => {
  await withSite(async ({ sql, ask }) => {
    await sql(FILL);
    for (
      const query of [
        "select g::text as id, age + g as age, hiv as weight from task.patients, " +
        "generate_series(1, 100) g where id = 'p27'",
        "select id, age, weight from task.patients where id <> 'p27'",
        "select id, age, 1 / (1 - hiv) as weight from task.patients",
        "select id, cast(id as int4) as age, weight from task.patients",
      ]
    ) {
      const { status, result, reason, log } = await ask(undefined, { query });
      assert.deepEqual([status, result ?? null], ["not allowed", null], query);
      assert.match(reason ?? "", /only if it is plain/);
      assert.doesNotMatch(`${reason} ${log}`, /p\d\d/);
    }
    assert.ok(isLet(await ask()));
  });
});
