import { HUB_SERVICES, type HubService } from "../../../shared/broker/subjects.ts";
import { oneLine } from "../errors.ts";
import type { Shell } from "../shell.ts";
import { grouped, waiting } from "../show/words.ts";
import { type Finding, note, ok, wrong } from "./finding.ts";

const SLOW_SECONDS = 5;
/** A message is published within some three seconds; older ones are stuck. */
const OLD_SECONDS = 30;

/** Size, what is slow, and what waits to be told. */
export async function checkDatabases(shell: Shell): Promise<Finding[]> {
  const each = await Promise.all(HUB_SERVICES.map((service) => checkService(shell, service)));
  const [row] = await shell.databases.task<{ bytes: string; name: string }[]>`
    select pg_database_size(current_database()) as bytes, current_database() as name`;
  const size = `${row!.name} takes ${grouped(Math.ceil(Number(row!.bytes) / 1e6))} MB`;
  return [ok("database size", size), ...each.flat()];
}

async function checkService({ databases }: Shell, service: HubService): Promise<Finding[]> {
  const db = databases[service];
  const [backlog] = await db<{ count: number; age: number }[]>`
    select count(*)::integer as count,
      coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as age from outbox`;
  const { count, age } = backlog!;
  const check = `outbox of ${service}`;
  const waits = waiting("messages", count) +
    (count > 0 ? `, the oldest for ${Math.round(age)} s` : "");
  const slow = await db<{ pid: number; state: string; seconds: number; query: string }[]>`
    select pid, state, extract(epoch from now() - query_start)::integer as seconds, query
    from pg_stat_activity
    where usename = current_user and pid <> pg_backend_pid() and backend_type = 'client backend'
      and state in ('active', 'idle in transaction')
      and query_start < now() - make_interval(secs => ${SLOW_SECONDS})
    order by query_start limit 5`;
  return [
    age > OLD_SECONDS
      ? wrong(check, waits, `See whether ${service} and the broker run: it publishes them.`)
      : ok(check, waits),
    ...slow.map(({ pid, state, seconds, query }) =>
      note(
        `query of ${service}`,
        `${state} for ${seconds} s: ${oneLine(query).slice(0, 80)}`,
        `If it should not: await sql.${service}\`select pg_cancel_backend(${pid})\``,
      )
    ),
  ];
}
