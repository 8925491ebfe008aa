import { DATABASE } from "../../services/stack/names.ts";
import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { createApiClient } from "../support/api.ts";
import type { BenchContext } from "./context.ts";
import { rateOf, report } from "./measure.ts";

const SIZES = [1_000, 1_000_000];
const SECONDS = 3;

type Sql = ReturnType<typeof openDatabase>;

interface Case {
  name: string;
  path: string;
  /** The least the database must do for it. */
  floor: (sql: Sql) => Promise<unknown>;
}

const CASES: Case[] = ["organization", "user", "node"].flatMap((noun) => {
  const schema = noun === "node" ? "collaboration" : "identity";
  return [
    {
      name: `list ${noun}s`,
      path: `/${noun}?page=1&per_page=10`,
      floor: (sql: Sql) => sql`select * from ${sql(schema)}.${sql(noun)} order by id limit 10`,
    },
    {
      name: `get one ${noun}`,
      path: `/${noun}/{id}`,
      floor: (sql: Sql) => sql`select * from ${sql(schema)}.${sql(noun)} where id = 500`,
    },
  ];
});

/** Milliseconds of lists and single reads among few and among very many, and how both compare. */
export async function benchLists({ stack }: BenchContext): Promise<void> {
  const sql = openDatabase(stack.adminDatabaseUrl(DATABASE), {
    schema: "public",
    log: silentLogger,
    max: 2,
  });
  const { access_token } = await createApiClient(stack.gatewayUrl)
    .post("/token/user", await stack.adminCredentials());
  const headers = { authorization: `Bearer ${access_token}` };
  const before = new Map<string, number>();
  for (const size of SIZES) {
    const id = await growTo(sql, size);
    for (const { name, path, floor } of CASES) {
      const url = `${stack.gatewayUrl}/api${path.replace("{id}", String(id))}`;
      const raw = await rateOf(() => floor(sql), { inFlight: 1, seconds: 1 });
      const real = await rateOf(async () => {
        const response = await fetch(url, { headers });
        await response.arrayBuffer();
        if (!response.ok) throw new Error(`GET ${path} answered ${response.status}`);
      }, { inFlight: 1, seconds: SECONDS });
      const few = before.get(name);
      before.set(name, real.p50);
      report(`${name} among ${size.toLocaleString("en")}`, {
        "p50 ms": real.p50,
        "p99 ms": real.p99,
        "raw SQL p50 ms": raw.p50,
        "to raw": real.p50 / raw.p50,
        ...(few === undefined ? {} : { "to few": real.p50 / few }),
      });
    }
  }
  await sql.end();
}

/**
 * Adds organizations, and a user and a node for each, until there are `size`; returns an id that
 * all three have.
 */
async function growTo(sql: Sql, size: number): Promise<number> {
  const id = 500;
  const [row] = await sql<{ organizations: string }[]>`
    select count(*) as organizations from identity.organization where name like 'bench %'`;
  const from = Number(row!.organizations) + 1;
  await sql.begin(async (tx) => {
    await tx`
      insert into identity.organization (name)
      select 'bench ' || n from generate_series(${from}::integer, ${size}::integer) n`;
    await tx`
      insert into identity."user" (username, password_hash, email, organization_id)
      select 'bench-' || id, 'x', 'bench-' || id || '@example.org', id
      from identity.organization where name like 'bench %' and id not in (
        select organization_id from identity."user")`;
    await tx`
      insert into collaboration.collaboration (name, encrypted) values ('bench', false)
      on conflict do nothing`;
    await tx`
      insert into collaboration.collaboration_member (collaboration_id, organization_id)
      select collaboration.id, organization.id
      from collaboration.collaboration, identity.organization
      where collaboration.name = 'bench' and organization.name like 'bench %'
      on conflict do nothing`;
    await tx`
      insert into collaboration.node (name, api_key_sha256, organization_id, collaboration_id)
      select 'bench ' || organization_id, 'bench ' || organization_id, organization_id, collaboration_id
      from collaboration.collaboration_member
      join collaboration.collaboration on collaboration.id = collaboration_id
      where collaboration.name = 'bench'
      on conflict do nothing`;
  });
  await sql`vacuum analyze`;
  return id;
}
