/**
 * What every service tells of its database, for Prometheus.
 * @module
 */
import { gaugeBy, type Metric } from "../messages/metric.ts";
import type { Db } from "./db.ts";

/** Figures of `service`'s schema, and of what it has still to tell. */
export async function storageMetrics(db: Db, service: string): Promise<Metric[]> {
  const [row] = await db<{ waiting: number; oldest: number; bytes: number }[]>`
    select count(*)::float8 as waiting,
      coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as oldest,
      (select coalesce(sum(pg_total_relation_size(oid)), 0)::float8 from pg_class
        where relnamespace = current_schema()::regnamespace and relkind in ('r', 'm')) as bytes
    from outbox`;
  const { waiting, oldest, bytes } = row!;
  const ofService = (name: string, help: string, value: number) =>
    gaugeBy("service", { name, help, rows: [{ service, value }] });
  return [
    ofService("sextant_outbox_messages", "Messages that wait to be told to others.", waiting),
    ofService("sextant_outbox_oldest_seconds", "How long the oldest of them has waited.", oldest),
    ofService("sextant_database_bytes", "What a service's tables and indexes take.", bytes),
  ];
}
