import assert from "node:assert/strict";
import { newHeaders } from "../../shared/broker/connection.ts";
import { type ReportKind, subjects } from "../../shared/broker/subjects.ts";
import { signAsNode } from "../../shared/node_protocol/node_signature.ts";
import { waitFor } from "../../tests/harness.ts";
import type { TestParty } from "../../tests/support/nats.ts";
import { countRoundTrips } from "../../tests/support/round_trips.ts";
import { useTaskHub } from "../../tests/support/task_hub.ts";

const hub = useTaskHub();

/** A report as a node's agent sends it. */
async function report(
  { nc, key, credential }: TestParty,
  node: number,
  kind: ReportKind,
  body: Record<string, unknown>,
): Promise<void> {
  const subject = subjects.report(node, kind);
  const payload = new TextEncoder().encode(JSON.stringify(body));
  const headers = newHeaders();
  signAsNode(headers, { seed: key.seed, credential: credential.jwt }, { subject, payload });
  const answer = (await nc.request(subject, payload, { timeout: 20_000, headers })).json();
  assert.equal((answer as { ok?: boolean }).ok, true, JSON.stringify(answer));
}

Deno.test("a run asks the databases of all services at most twelve times, from its POST to its committed result", async () => {
  const place = await hub().place(1);
  const user = await hub().user(place);
  const { node } = place.members[0]!;
  const party = await hub().nats.node(node);
  const agent_id = crypto.randomUUID();

  /** One run, until the broker has all that is told of it. */
  async function run(removed: () => number): Promise<void> {
    const before = removed();
    const { id } = await hub().post(user, place);
    const result_id = id; // of tasks for one organization, in a database of its own
    const attempt = { agent_id, result_id, attempt: 1 };
    await report(party, node, "accepted", { agent_id, attempts: [{ result_id, attempt: 1 }] });
    await report(party, node, "start", { ...attempt, code: `sha256:${"0".repeat(64)}` });
    const end = { status: "completed", result: btoa("1"), in_blob: false, log: "", reason: null };
    await report(party, node, "finish", { ...attempt, ...end });
    await waitFor(() => removed() > before, { what: "the outbox to be emptied" });
  }

  const sweeps =
    /from outbox where created_at|from audit\b|from audit_seal|audit_t(ile|ree)|sextant\.seal/;
  const counted = await countRoundTrips(async (counted) => {
    const isRemoval = (text: string) => text.startsWith("delete from outbox");
    const removed = () => counted.statements.filter(isRemoval).length;
    // The first one finds nothing prepared, and an agent that nobody knows.
    await run(removed);
    counted.count = 0;
    counted.statements.length = 0;
    await run(removed);
  }, sweeps);
  console.log(
    `A run: ${counted.count} round trips, ${counted.statements.length} statements`,
    counted.statements.map((text) => `\n  ${text.slice(0, 90)}`).join(""),
  );
  assert.ok(counted.count <= 12, `${counted.count} round trips`);
});
