/**
 * A look behind the hub's back, for benchmarks: its database, and its broker with the rights of the
 * task service.
 * @module
 */
import { DATABASE, FILES } from "../../services/stack/names.ts";
import { join } from "node:path";
import { type BrokerConnection, connectToBroker } from "../../shared/broker/connection.ts";
import { issueServiceCredential, type Trust, trustSchema } from "../../shared/broker/trust.ts";
import { type Db, openDatabase } from "../../shared/storage/db.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { newUserKey } from "../../shared/broker/signing.ts";
import { subjects } from "../../shared/broker/subjects.ts";
import { type TestStack, waitFor } from "../harness.ts";

export function openTaskDatabase(stack: TestStack, max = 2): Db {
  return openDatabase(stack.adminDatabaseUrl(DATABASE), {
    schema: "task",
    log: silentLogger,
    max,
  });
}

export async function trustOf(stack: TestStack): Promise<Trust> {
  const file = join(stack.folder, "services", "identity", FILES.brokerTrust);
  return trustSchema.parse(JSON.parse(await Deno.readTextFile(file)));
}

/** A connection to the broker at `url` with the rights of the task service. */
export async function connectAsTask(url: string, trust: Trust): Promise<BrokerConnection> {
  const { seed, publicKey } = newUserKey();
  const { jwt } = await issueServiceCredential(trust, "task", publicKey, 3600);
  return await connectToBroker({
    url,
    name: "bench",
    credential: { seed, jwt: () => jwt },
    inboxPrefix: subjects.inbox("task"),
    log: silentLogger,
  });
}

/** Waits until every result of a node has ended; throws when one has not completed. */
export async function allCompleted(db: Db, nodeId: number, timeoutMs: number): Promise<void> {
  await waitFor(async () => {
    const [row] = await db`
      select 1 from result where node_id = ${nodeId} and finished_at is null limit 1`;
    return !row;
  }, { what: `all results of node ${nodeId} to end`, timeout: timeoutMs });
  const bad = await db`
    select status, count(*) from result where node_id = ${nodeId} and status <> 'completed'
    group by status`;
  if (bad.length > 0) throw new Error(`Not all completed: ${JSON.stringify(bad)}`);
}
