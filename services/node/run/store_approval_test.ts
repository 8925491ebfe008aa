import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import type { Decision } from "../policy/policy.ts";
import { createStoreApproval, type CreateStoreApprovalOptions } from "./store_approval.ts";
import { NoStoreTokenError, StoreRefusal } from "./store_catalogue.ts";

const { signal } = new AbortController();
const STORE = "https://store.example/api";
const SERVER = "https://hub.example/api";

/** Approvals by a store that says these things, one after the other, and then the last one again. */
function approvalWith(
  answers: (boolean | Error)[],
  options: Partial<CreateStoreApprovalOptions> = {},
) {
  const asked: string[] = [];
  const approval = createStoreApproval({
    catalogue: {
      has(url, image) {
        asked.push(`${url} ${image}`);
        const answer = answers[Math.min(asked.length, answers.length) - 1]!;
        return typeof answer === "boolean" ? Promise.resolve(answer) : Promise.reject(answer);
      },
      probe: () => Promise.reject(new Error("is not asked")),
    },
    serverUrl: SERVER,
    log: silentLogger,
    ...options,
  });
  return { ...approval, asked };
}

function reasonOf(decision: Decision): string {
  assert.ok(!decision.allowed, "was allowed");
  return decision.reason;
}

Deno.test("an approval holds for a while, for its image alone; a refusal is asked for again", async () => {
  let now = 0;
  const { decide, asked } = approvalWith([true, false, true], { holdsMs: 1000, now: () => now });
  for (let i = 0; i < 3; i++) assert.ok((await decide(`${STORE}/`, "v6/a:1", signal)).allowed);
  assert.deepEqual(asked, [`${STORE} v6/a:1`]);
  assert.match(
    reasonOf(await decide(STORE, "v6/b:1", signal)),
    /v6\/b:1: its store https:\/\/store\.example\/api says that it has not approved it\.$/,
  );
  assert.ok((await decide(STORE, "v6/b:1", signal)).allowed);
  now = 1000;
  assert.ok((await decide(STORE, "v6/a:1", signal)).allowed);
  assert.equal(asked.length, 4);
});

Deno.test("a store that is away is asked again, and in the end refused with what to do", async () => {
  const away = new Error("connection refused");
  const back = approvalWith([away, away, true]);
  assert.ok((await back.decide(STORE, "v6/a:1", signal)).allowed);
  assert.equal(back.asked.length, 3);
  const { decide } = approvalWith([away], { patienceMs: 0 });
  assert.match(
    reasonOf(await decide(STORE, "v6/a:1", signal)),
    /could not be asked .* Post the task again once it answers\.$/,
  );
});

Deno.test("a store's refusal is final and says how the node asks; 401 may pass with the hub's restart", async () => {
  const refused = approvalWith([new StoreRefusal("not whitelisted", 403), true]);
  assert.match(
    reasonOf(await refused.decide(STORE, "v6/a:1", signal)),
    /\(not whitelisted\); .* 4\.15 .* https:\/\/hub\.example\/api; .*server_url_for_stores\.$/,
  );
  const unauthorized = new StoreRefusal("Token is not valid", 401);
  const passing = approvalWith([unauthorized, unauthorized, true]);
  assert.ok((await passing.decide(STORE, "v6/a:1", signal)).allowed);
  const lasting = approvalWith([unauthorized]);
  assert.match(reasonOf(await lasting.decide(STORE, "v6/a:1", signal)), /\(Token is not valid\)/);
  assert.equal(lasting.asked.length, 5);
});

Deno.test("a hub that gives no token is named, and the store is not", async () => {
  const { decide, asked } = approvalWith([new NoStoreTokenError("no such path"), true]);
  const reason = reasonOf(await decide(STORE, "v6/a:1", signal));
  assert.match(reason, /the server gives this node no token .* \(no such path\); ask the server's/);
  assert.equal(asked.length, 1);
});

Deno.test("what has no address of a store is not asked", async () => {
  const { decide, asked } = approvalWith([true]);
  for (const url of ["file:///etc/passwd", "https://me:secret@store.example/api", "store"]) {
    assert.match(reasonOf(await decide(url, "v6/a:1", signal)), /no address to ask at/);
  }
  assert.deepEqual(asked, []);
});

Deno.test("a run that is killed stops the asking", async () => {
  const killed = new AbortController();
  const { decide } = approvalWith([new Error("away")]);
  const decision = decide(STORE, "v6/a:1", killed.signal);
  killed.abort(new Error("killed"));
  await assert.rejects(decision);
});
