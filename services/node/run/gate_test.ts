import assert from "node:assert/strict";
import { join } from "node:path";
import { silentLogger } from "../../../shared/service/log.ts";
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { createHub } from "../hub/hub.ts";
import { acceptName, openKnownNames } from "../policy/known_names.ts";
import type { Decision, Policy } from "../policy/policy.ts";
import { AUDIT_FILE, openAuditLog } from "../record/audit_log.ts";
import { CannotStart } from "./cannot_start.ts";
import { createGate } from "./gate.ts";

const dispatch = {
  result_id: 11,
  attempt: 1,
  task_id: 5,
  parent_id: null,
  init_org_id: 3,
  init_user_id: 7,
  init_username: "mallory",
  image: "deno:average@1.0",
  databases: [{ label: "default" }],
} as unknown as Dispatch;

/**
 * A gate and what it asks the hub for; organization 3 is Alpha, and two of three have a share in
 * task 5.
 */
async function withGate<T>(
  policy: Policy,
  use: (
    gate: ReturnType<typeof createGate>,
    seen: {
      asked: string[];
      decisions: Decision[];
      folder: string;
      /** What the hub says, by path. */
      answers: Record<string, unknown>;
      /** What stores were asked, and the images that they have approved. */
      stores: { asked: string[]; approved: string[] };
    },
  ) => Promise<T>,
): Promise<T> {
  const asked: string[] = [];
  const decisions: Decision[] = [];
  const claims = new TextEncoder().encode('{"sub":1,"exp":4000000000}').toBase64();
  const answers: Record<string, unknown> = {
    "/token/node": { access_token: `e30.${claims}.x` },
    "/organization/3": { name: "Alpha" },
    "/run?task_id=5&payload=none": { data: [1, 2, 2].map((id) => ({ id, organization: { id } })) },
  };
  const folder = await temporaryFolder();
  const audit = await openAuditLog(join(folder.path, AUDIT_FILE));
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      await request.body?.cancel();
      const path = request.url.split("/api")[1]!;
      if (path !== "/token/node") asked.push(path);
      return path in answers
        ? Response.json(answers[path])
        : Response.json({ msg: "There is no such thing." }, { status: 404 });
    },
  );
  const stores = { asked: [] as string[], approved: [] as string[] };
  const api = `http://127.0.0.1:${server.addr.port}/api`;
  const gate = createGate({
    policy,
    hub: createHub({ api, apiKey: "k", payloadFormats: [], log: silentLogger }),
    names: await openKnownNames({ folder: folder.path, policy, audit, log: silentLogger }),
    approval: {
      decide(url, image) {
        stores.asked.push(`${url} ${image}`);
        const allowed = stores.approved.includes(image);
        return Promise.resolve(allowed ? { allowed } : { allowed, reason: "not approved" });
      },
    },
    onDecision: (_, decision) => decisions.push(decision),
  });
  try {
    return await use(gate, { asked, decisions, folder: folder.path, answers, stores });
  } finally {
    await server.shutdown();
    await audit.close();
    await folder.remove();
  }
}

const { signal } = new AbortController();

function reasonOf(decision: Decision): string {
  assert.ok(!decision.allowed, "was allowed");
  return decision.reason;
}

Deno.test("a task is judged by what the hub signed of its user and store, and nobody is asked for it", async () => {
  const store = "https://store.example/api";
  await withGate({ allowedUsers: ["alice"], allowedStores: [store] }, async (gate, seen) => {
    seen.stores.approved.push(dispatch.image);
    const alice = { ...dispatch, init_username: "alice", algorithm_store_url: store };
    assert.ok((await gate.admit(alice, signal)).allowed);
    const reason = reasonOf(await gate.admit({ ...alice, init_username: "bob" }, signal));
    assert.match(reason, /user 7 \("bob"\) is not in policies\.allowed_users/);
    assert.match(
      reasonOf(await gate.admit({ ...alice, algorithm_store_url: null }, signal)),
      /comes from no algorithm store/,
    );
    // From a hub that does not tell names yet.
    const { init_username: _, ...old } = alice;
    assert.match(reasonOf(await gate.admit(old, signal)), /whose name the hub did not tell/);
    assert.deepEqual(seen.asked, []);
    assert.equal(seen.decisions.length, 4);
  });
});

Deno.test("a store that a task passes by is asked itself, whatever the hub says, and no other", async () => {
  const store = "https://store.example/api";
  const of = (image: string, algorithm_store_url = store) => ({
    ...dispatch,
    image,
    algorithm_store_url,
  });
  const policy = {
    allowedStores: [store],
    allowedAlgorithms: ["deno:own"],
    eitherAlgorithmOrStore: true,
  };
  await withGate(policy, async (gate, { stores, decisions }) => {
    stores.approved.push("v6/good:1");
    assert.ok((await gate.admit(of("v6/good:1"), signal)).allowed);
    assert.equal(reasonOf(await gate.admit(of("v6/evil:1"), signal)), "not approved");
    assert.deepEqual(decisions.map(({ allowed }) => allowed), [true, false]);
    assert.deepEqual(stores.asked, [`${store} v6/good:1`, `${store} v6/evil:1`]);
    // Allowed by its name, and not allowed at all.
    assert.ok((await gate.admit(of("deno:own@1.0"), signal)).allowed);
    reasonOf(await gate.admit(of("v6/good:1", "http://169.254.169.254"), signal));
    assert.equal(stores.asked.length, 2);
  });
});

// GHSA-vc3v-ppc7-v486: whatever had a parent was let in.
Deno.test("a task with a parent, true or forged, is judged like any other", async () => {
  await withGate({ allowedAlgorithms: ["v6/average"], allowedUsers: [1] }, async (gate) => {
    for (const parent_id of [null, 4, 999_999]) {
      const child = { ...dispatch, parent_id };
      assert.match(reasonOf(await gate.admit(child, signal)), /deno:average@1\.0: it is not in/);
      const stranger = { ...child, image: "v6/average:1" };
      assert.match(reasonOf(await gate.admit(stranger, signal)), /user 7 \("mallory"\)/);
    }
  });
});

Deno.test("the name of an organization is asked for once, and only where names are listed", async () => {
  await withGate({ allowedOrganizations: [3] }, async (gate, { asked }) => {
    assert.ok((await gate.admit(dispatch, signal)).allowed);
    assert.deepEqual(asked, []);
  });
  await withGate({ allowedOrganizations: ["Alpha"] }, async (gate, { asked }) => {
    assert.ok((await gate.admit(dispatch, signal)).allowed);
    assert.ok((await gate.admit(dispatch, signal)).allowed);
    assert.deepEqual(asked, ["/organization/3"]);
    assert.match(
      reasonOf(await gate.admit({ ...dispatch, init_org_id: 4 }, signal)),
      /organization 4, whose name the hub did not tell, is not in policies\.allowed_organizations/,
    );
  });
});

Deno.test("a call is refused as not allowed, with the rule, and counts different organizations", async () => {
  const call = { method: "partial", args: [], kwargs: {} };
  await withGate({ minimumOrganizations: 3 }, async (gate, { decisions }) => {
    await assert.rejects(
      gate.call(dispatch, call, signal),
      (error) =>
        error instanceof CannotStart && error.status === "not allowed" &&
        /a task for 2 organization\(s\): policies demand minimum_organizations of 3/.test(
          error.message,
        ),
    );
    assert.equal(decisions.length, 1);
  });
  await withGate({ minimumOrganizations: 2 }, (gate) => gate.call(dispatch, call, signal));
});

Deno.test("a listed name that another user has now lets nobody in, until the owner accepts that", async () => {
  await withGate({ allowedUsers: ["alice"] }, async (gate, { folder }) => {
    const of = (init_user_id: number) => ({ ...dispatch, init_user_id, init_username: "alice" });
    assert.ok((await gate.admit(of(12), signal)).allowed);
    const reason = reasonOf(await gate.admit(of(15), signal));
    assert.match(reason, /user 15 \("alice"\) is not whom that name .* so far, user 12; /);
    assert.match(
      reason,
      /types: deno task node accept-name user 'alice' 15 --config node\.yaml\.$/,
    );
    assert.ok((await gate.admit(of(12), signal)).allowed);
    assert.deepEqual(await acceptName(folder, { kind: "user", name: "alice", id: 15 }), {
      before: 12,
    });
    assert.ok((await gate.admit(of(15), signal)).allowed);
    assert.match(reasonOf(await gate.admit(of(12), signal)), /so far, user 15; /);
    const audit = await Deno.readTextFile(join(folder, AUDIT_FILE));
    const events = audit.trim().split("\n").map((line) => {
      const { event, kind, name, id, known, before } = JSON.parse(line);
      return [event, kind, name, id, known ?? before];
    });
    assert.deepEqual(events, [
      ["listed name seen", "user", "alice", 12, undefined],
      ["listed name refused", "user", "alice", 15, 12],
      ["listed name accepted", "user", "alice", 15, 12],
      ["listed name refused", "user", "alice", 12, 15],
    ]);
  });
});

Deno.test("a listed name of an organization that another one has now lets nobody in, ids do", async () => {
  const policy = { allowedOrganizations: ["Alpha", 9] };
  await withGate(policy, async (gate, { answers }) => {
    assert.ok((await gate.admit(dispatch, signal)).allowed);
    answers["/organization/4"] = answers["/organization/9"] = { name: "Alpha" };
    assert.match(
      reasonOf(await gate.admit({ ...dispatch, init_org_id: 4 }, signal)),
      /organization 4 \("Alpha"\) is not whom that name .* organization 3; .* organization 'Alpha' 4/,
    );
    assert.ok((await gate.admit({ ...dispatch, init_org_id: 9 }, signal)).allowed);
  });
});
