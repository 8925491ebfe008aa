import assert from "node:assert/strict";
import { useTestStack, waitFor } from "./harness.ts";

const stack = useTestStack();

interface Health {
  ok: boolean;
  text: string;
}

async function health(): Promise<Health> {
  const response = await fetch(`${stack().gatewayUrl}/api/health`);
  return { ok: response.status === 200, text: await response.text() };
}

for (const name of ["identity", "collaboration", "task", "nats", "postgres"]) {
  Deno.test(`the hub comes back by itself after ${name} was killed and started again`, async () => {
    const part = stack().part(name);
    const before = part.pid;
    await part.kill9();
    const sick = await waitFor(async () => {
      const answer = await health();
      return answer.ok ? undefined : answer;
    }, { what: `the gateway to notice that ${name} is gone` });
    // The broker carries everything; without it the gateway can name no single service.
    if (name !== "nats") assert.match(sick.text, name === "postgres" ? /Postgres/ : RegExp(name));
    await part.restart();
    assert.notEqual(part.pid, before);
    await waitFor(async () => (await health()).ok, {
      what: `everything to be ready again after ${name} came back`,
      timeout: 20_000,
    });
  });
}

Deno.test("the hub stays ready when one of two replicas of each service is killed", async () => {
  const added = [];
  for (const service of ["identity", "collaboration", "task"] as const) {
    added.push(await stack().addReplica(service));
    await stack().part(service).kill9();
  }
  assert.deepEqual(added, ["identity-2", "collaboration-2", "task-2"]);
  await waitFor(async () => (await health()).ok, { what: "the second replicas to answer" });
  for (const service of ["identity", "collaboration", "task"]) {
    await stack().part(service).restart();
  }
  assert.ok((await health()).ok);
});
