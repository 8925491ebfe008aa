import { DATABASE } from "../../services/stack/names.ts";
import { openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { encodeInput } from "../site.ts";
import type { BenchContext } from "./context.ts";
import { rateOf, report } from "./measure.ts";

const SIZES = [1_000, 1_000_000];
const SECONDS = 3;

/**
 * Creating and listing among few and among very many results: the second should cost what the first
 * does.
 */
export async function benchTasks({ stack, site }: BenchContext): Promise<void> {
  const sql = openDatabase(stack.adminDatabaseUrl(DATABASE), { schema: "task", log: silentLogger });
  const [member] = site.members;
  const userId = Number(
    (await site.admin.get(`/user?username=${site.login.username}`)).data[0].id,
  );
  const before = new Map<string, number>();
  async function ask(path: string, body?: unknown) {
    const response = await site.researcher.request(body ? "POST" : "GET", path, body);
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  }
  for (const size of SIZES) {
    // Those of other benchmarks are there, too.
    const [row] = await sql<{ results: number }[]>`select count(*)::int as results from result`;
    const all = Math.max(size, row!.results);
    await sql.begin(async (tx) => {
      await tx`
        insert into task (name, description, image, job_id, collaboration_id, init_org_id, init_user_id)
        select 'bench', '', 'deno:slow@1.0.0', nextval('run_id_seq'), ${site.collaborationId},
          ${member!.id}, ${userId} from generate_series(1, ${
        Math.max(0, size - row!.results)
      }::int)`;
      await tx`
        insert into result (task_id, organization_id, node_id, status, input, result, log,
          started_at, finished_at)
        select id, ${member!.id}, ${member!.nodeId}, 'completed', 'e30=', 'e30=', '', now(), now()
        from task where not exists (select from result where task_id = task.id)`;
    });
    await sql`vacuum analyze`;
    const [last] = await sql<{ id: number }[]>`
      select max(task_id) as id from result where task_id in (
        select id from task where collaboration_id = ${site.collaborationId} order by id desc limit 1)`;
    const task = {
      name: "bench",
      image: "deno:slow@1.0.0",
      collaboration_id: site.collaborationId,
      organizations: [{ id: member!.id, input: encodeInput({ method: "now" }) }],
      databases: [{ label: "default" }],
    };
    const cases: [string, () => Promise<void>, () => Promise<unknown>][] = [
      ["create task", () => ask("/task", task), () => sql`select nextval('run_id_seq')`],
      [
        "list tasks",
        () => ask("/task?page=1&per_page=10"),
        () => sql`select * from task order by id desc limit 10`,
      ],
      [
        "list runs",
        () => ask("/run?page=1&per_page=10"),
        () => sql`select * from result order by id desc limit 10`,
      ],
      [
        "results of one task",
        () => ask(`/result?task_id=${last!.id}`),
        () => sql`select * from result where task_id = ${last!.id}`,
      ],
    ];
    for (const [name, work, floor] of cases) {
      const raw = await rateOf(floor, { inFlight: 1, seconds: 1 });
      const real = await rateOf(work, { inFlight: 1, seconds: SECONDS });
      const few = before.get(name);
      before.set(name, real.p50);
      report(`${name} among ${all.toLocaleString("en")}`, {
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
