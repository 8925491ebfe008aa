// @ts-types="../../shared/storage/pg.d.ts"
import pg, { type Client } from "pg";
import { DATABASE } from "../../services/stack/names.ts";
import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import type { BenchContext } from "./context.ts";
import { rateOf, report } from "./measure.ts";

const IN_FLIGHT = [1, 32];
const SECONDS = 3;
const ROWS = 10_000;
const PLACES = 10;
const READ = "select id, name, at, data, other from bench_thing where id = ";

/**
 * Statements a second through `shared/storage`, beside the driver's bare clients: one statement
 * each at a time.
 */
export async function benchDatabase({ stack }: BenchContext): Promise<void> {
  const url = stack.adminDatabaseUrl(DATABASE);
  const db = openDatabase(url, { schema: "public", log: silentLogger, max: PLACES });
  await db.unsafe(`
    create table bench_thing (
      id integer primary key, name text, at timestamptz not null default now(), data jsonb, other integer
    );
    insert into bench_thing select n, 'thing ' || n, now(), '{"a": 1}', n
    from generate_series(1, ${ROWS}) n`);
  const bare = await connectBare(url);
  let n = 0;
  const nextId = () => n++ % ROWS + 1;
  try {
    for (const inFlight of IN_FLIGHT) {
      const raw = await rateOf(() => bare.read(nextId()), { inFlight, seconds: SECONDS });
      const real = await rateOf(
        () => db`select id, name, at, data, other from bench_thing where id = ${nextId()}`,
        { inFlight, seconds: SECONDS },
      );
      const whole = await rateOf(() =>
        db.begin(async (tx) => {
          const id = nextId();
          await tx`select id from bench_thing where id = ${id} for update`;
          await tx`update bench_thing set ${tx({ name: `x ${n}`, other: n })} where id = ${id}`;
        }), { inFlight, seconds: SECONDS });
      report(`statements, ${inFlight} in flight`, {
        "per second": real.perSecond,
        "p50 ms": real.p50,
        "p99 ms": real.p99,
        "bare driver per second": raw.perSecond,
        "to bare": real.perSecond / raw.perSecond,
        "transactions of two per second": whole.perSecond,
      });
    }
  } finally {
    await bare.end();
    await db`drop table bench_thing`;
    await db.end();
  }
}

async function connectBare(url: string) {
  const address = new URL(url.replace("@/", "@localhost/"));
  const clients = await Promise.all(Array.from({ length: PLACES }, async () => {
    const client = new pg.Client({
      host: address.searchParams.get("host") ?? address.hostname,
      port: Number(address.searchParams.get("port") ?? address.port),
      database: decodeURIComponent(address.pathname.slice(1)),
      user: decodeURIComponent(address.username),
      password: decodeURIComponent(address.password),
    });
    await client.connect();
    return client;
  }));
  const free = [...clients];
  const waiting: ((client: Client) => void)[] = [];

  async function read(id: number): Promise<void> {
    const client = free.pop() ?? await new Promise<Client>((resolve) => waiting.push(resolve));
    const query = new pg.Query(`${READ} $1`, [id]);
    query.name = "read";
    await new Promise<void>((resolve, reject) =>
      client.query(query, (error) => error ? reject(error) : resolve())
    );
    const next = waiting.shift();
    if (next) next(client);
    else free.push(client);
  }
  return { read, end: () => Promise.all(clients.map((client) => client.end())) };
}
