import { HUB_SERVICES, type HubService } from "../../../shared/broker/subjects.ts";
import type { Finding } from "./finding.ts";
import { oneLine } from "../errors.ts";
import type { Shell } from "../shell.ts";
import { grouped, waiting } from "../show/words.ts";

const SLOW_SECONDS = 5;
/** A message is published within some three seconds; older ones are stuck. */
const OLD_SECONDS = 30;

/** Size, what is slow, and what waits to be told. */
export async function checkDatabases(shell: Shell): Promise<Finding[]> {
  const each = await Promise.all(HUB_SERVICES.map((service) => checkService(shell, service)));
  const [row] = await shell.databases.task<{ bytes: string; name: string }[]>`
    select pg_database_size(current_database()) as bytes, current_database() as name`;
  const size = `${row!.name} takes ${grouped(Math.ceil(Number(row!.bytes) / 1e6))} MB`;
  return [{ check: "database size", state: "ok", finding: size }, ...each.flat()];
}

async function checkService({ databases }: Shell, service: HubService): Promise<Finding[]> {
  const db = databases[service];
  const findings: Finding[] = [];
  const [backlog] = await db<{ count: number; age: number }[]>`
    select count(*)::integer as count,
      coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as age from outbox`;
  const { count, age } = backlog!;
  const stuck = age > OLD_SECONDS;
  findings.push({
    check: `outbox of ${service}`,
    state: stuck ? "wrong" : "ok",
    finding: waiting("messages", count) +
      (count > 0 ? `, the oldest for ${Math.round(age)} s` : ""),
    ...(stuck ? { advice: `See whether ${service} and the broker run: it publishes them.` } : {}),
  });
  const slow = await db<{ pid: number; state: string; seconds: number; query: string }[]>`
    select pid, state, extract(epoch from now() - query_start)::integer as seconds, query
    from pg_stat_activity
    where usename = current_user and pid <> pg_backend_pid() and backend_type = 'client backend'
      and state in ('active', 'idle in transaction')
      and query_start < now() - make_interval(secs => ${SLOW_SECONDS})
    order by query_start limit 5`;
  for (const { pid, state, seconds, query } of slow) {
    findings.push({
      check: `query of ${service}`,
      state: "note",
      finding: `${state} for ${seconds} s: ${oneLine(query).slice(0, 80)}`,
      advice: `If it should not: await sql.${service}\`select pg_cancel_backend(${pid})\``,
    });
  }
  return findings;
}
