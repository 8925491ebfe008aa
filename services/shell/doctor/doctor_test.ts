import assert from "node:assert/strict";
import { join } from "node:path";
import { sealAudit } from "../../../shared/storage/audit_seal.ts";
import { acknowledgeSeals } from "../../../shared/storage/noted_seals.ts";
import { temporaryFolder, useTestPostgres } from "../../../tests/harness.ts";
import { prepareDatabases } from "../../../tests/support/shell.ts";
import type { Addresses } from "../connections.ts";
import { diagnose } from "./doctor.ts";
import type { Finding } from "./finding.ts";
import { openSession } from "../session.ts";
import type { Shell } from "../shell.ts";

const postgres = useTestPostgres();

/** Nothing besides the databases, which the shell of a test has already. */
const NOWHERE: Addresses = {
  databaseUrls: { identity: "", collaboration: "", task: "" },
  broker: undefined,
  gatewayUrl: undefined,
};

type Look = (addresses?: Partial<Addresses>) => Promise<(check: string) => Finding | undefined>;

/** A hub's databases without its services, and a function that looks them over. */
async function inShell(work: (shell: Shell, look: Look) => Promise<void>): Promise<void> {
  const urls = await postgres.newDatabases();
  await prepareDatabases(urls);
  const addresses: Addresses = { ...NOWHERE, databaseUrls: urls };
  const session = await openSession({ addresses, say: () => {} });
  try {
    await work(session.shell, async (more = {}) => {
      const { findings } = await diagnose(session.shell, { ...addresses, ...more });
      return (check) => findings.find((one) => one.check === check);
    });
  } finally {
    await session.close();
  }
}

Deno.test("diagnose() says what it cannot see, and what to set", async () => {
  await inShell(async (_shell, look) => {
    const of = await look();
    assert.match(of("broker")!.advice!, /SEXTANT_NATS_URL/);
    assert.match(of("gateway")!.advice!, /SEXTANT_GATEWAY_URL/);
    assert.equal(of("database size")!.state, "ok");
  });
});

Deno.test("diagnose() finds messages that nobody publishes", async () => {
  await inShell(async ({ databases }, look) => {
    assert.equal((await look())("outbox of task")!.state, "ok");
    await databases.task`
      insert into outbox (subject, payload, created_at)
      values ('event.task.created', '{}', now() - interval '1 minute')`;
    const found = (await look())("outbox of task")!;
    assert.equal(found.state, "wrong");
    assert.match(found.finding, /1 message waits, the oldest for 6\d s/);
    assert.match(found.advice!, /whether task and the broker run/);
  });
});

Deno.test("diagnose() finds work that waits for nodes which are offline, or gone", async () => {
  await inShell(async ({ databases, models }, look) => {
    const organization = await new models.Organization({ name: "One" }).save();
    const collaboration = await new models.Collaboration({
      name: "c",
      organizations: [organization],
    }).save();
    const node = await new models.Node({ name: "n", organization, collaboration }).save();
    await databases.task`
      insert into task (name, description, image, job_id, collaboration_id, init_org_id, init_user_id)
      values ('t', '', 'image', 1, 1, 1, 1)`;
    await databases.task`
      insert into result (task_id, organization_id, node_id)
      values (1, 1, ${node.id as number}), (1, 2, 77), (1, 3, null)`;
    const of = await look();
    assert.equal(of("nodes")!.finding, "0 of 1 are online; offline: n");
    assert.equal(of("nodes")!.state, "note");
    assert.match(of(`node ${node.id}`)!.finding, /n is offline, and 1 result waits for it/);
    assert.match(of("node 77")!.finding, /does not exist any more/);
    assert.equal(of("node null"), undefined);
  });
});

Deno.test("diagnose() names nodes whose key a second agent has used in the last hour", async () => {
  await inShell(async ({ databases, models }, look) => {
    const organization = await new models.Organization({ name: "One" }).save();
    const collaboration = await new models.Collaboration({
      name: "c",
      organizations: [organization],
    }).save();
    const node = await new models.Node({ name: "n", organization, collaboration }).save();
    const id = node.id as number;
    await databases.task`
      insert into node_speaker (node_id, public_key, since) values (${id}, 'U1', now())`;
    assert.equal((await look())(`agent of node ${id}`), undefined);
    const second = { second_key: "U2", second_address: "192.0.2.7" };
    await databases.task`
      update node_speaker set ${
      databases.task(second)
    }, second_seen_at = now() - interval '50 min'`;
    const found = (await look())(`agent of node ${id}`)!;
    assert.equal(found.state, "wrong");
    assert.match(found.finding, /^n has had one agent since .* from 192\.0\.2\.7 was refused/);
    await databases.task`update node_speaker set second_seen_at = now() - interval '61 min'`;
    assert.equal((await look())(`agent of node ${id}`), undefined);
  });
});

Deno.test("diagnose() finds keys and credentials that are old, or soon run out", async () => {
  await inShell(async ({ databases }, look) => {
    assert.equal((await look())("key that signs tokens")!.state, "wrong");
    await databases.identity`
      insert into signing_key (kid, public_jwk, private_jwk, created_at)
      values ('k', '{}', '{}', now() - interval '2 years')`;
    assert.equal((await look())("key that signs tokens")!.state, "note");

    const folder = await temporaryFolder();
    const enrolmentFile = join(folder.path, "enrolment.json");
    const found = async (days: number) => {
      const exp = Math.floor(Date.now() / 1000) + days * 86_400 + 60;
      const claims = new TextEncoder().encode(JSON.stringify({ exp }))
        .toBase64({ alphabet: "base64url", omitPadding: true });
      await Deno.writeTextFile(enrolmentFile, JSON.stringify({ seed: "", jwt: `h.${claims}.s` }));
      const of = await look({ broker: { url: "ws://127.0.0.1:1", enrolmentFile } });
      return of("enrolment of the shell")!;
    };
    assert.deepEqual(
      [(await found(100)).state, (await found(5)).state, (await found(-5)).state],
      ["ok", "note", "wrong"],
    );
    await folder.remove();
  });
});

Deno.test("diagnose() finds a statement that takes long", async () => {
  await inShell(async ({ databases }, look) => {
    const slow = assert.rejects(
      Promise.resolve(databases.task`select pg_sleep(30)`),
      /canceling statement/,
    );
    const start = Date.now();
    let found: Finding | undefined;
    while (!found && Date.now() - start < 20_000) {
      found = (await look())("query of task");
      if (!found) await new Promise((resolve) => setTimeout(resolve, 500));
    }
    assert.match(found!.finding, /active for \d+ s: select pg_sleep/);
    const [pid] = /pg_cancel_backend\((\d+)\)/.exec(found!.advice!)!.slice(1);
    await databases.task`select pg_cancel_backend(${Number(pid)})`;
    await slow;
  });
});

Deno.test("diagnose() finds an audit record that was changed in the database", async () => {
  await inShell(async ({ databases: { identity }, models }, look) => {
    await new models.Organization({ name: "One" }).save();
    await sealAudit(identity, new Date());
    const whole = (await look())("audit record of identity")!;
    assert.equal(whole.state, "ok");
    assert.match(
      whole.finding,
      /^[1-9]\d* records are as they were sealed, under 1 seals; the newest/,
    );
    await identity`alter table audit disable trigger user`;
    await identity`update audit set who_id = 7`;
    const changed = (await look())("audit record of identity")!;
    assert.equal(changed.state, "wrong");
    assert.match(changed.finding, /was changed/);
    assert.match(changed.advice!, /nodes have noted/);
  });
});

Deno.test("diagnose() says who can administer the hub, and that nobody can", async () => {
  await inShell(async ({ models }, look) => {
    const nobody = (await look())("administrators")!;
    assert.equal(nobody.state, "wrong");
    assert.match(nobody.advice!, /u\.roles = "Root"/);
    const organization = await new models.Organization({ name: "One" }).save();
    const values = { username: "alice", password: "p", organization, roles: "Root" };
    await new models.User(values).save();
    assert.deepEqual((await look())("administrators"), {
      check: "administrators",
      state: "ok",
      finding: "alice",
    });
  });
});

Deno.test("diagnose() tells how much room the disk has", async () => {
  await inShell(async (_shell, look) => {
    assert.match((await look())("disk space")!.finding, /cannot be seen from here/);
    const dataFolder = Deno.cwd();
    const { finding } = (await look({ dataFolder }))("disk space")!;
    assert.match(finding, /^[\d,]+ MB of [\d,]+ MB are free at \//);
    const nowhere = (await look({ dataFolder: "/nowhere" }))("disk")!;
    assert.equal(nowhere.state, "wrong");
  });
});

Deno.test("diagnose() names seals that nodes know and the hub does not, until an operator acknowledges them", async () => {
  await inShell(async (shell, look) => {
    const { identity } = shell.databases;
    const told = (number: number) =>
      identity`
        insert into audit (request_id, who_kind, who_id, what, object, object_id, outcome, method, path, data)
        values ('r', 'node', 7, 'audit.seal_unknown', 'node', 7, 'done', 'GET', '/api/audit/seals', ${
        identity.json({ service: "task", number, sha256: "ab".repeat(32) })
      })`;
    await told(512);
    const check = "audit record seen by node 7";
    const found = (await look())(check)!;
    assert.equal(found.state, "wrong");
    assert.match(found.finding, /it has noted seal 512 of task, abababababababab…, which is not/);
    assert.match(found.advice!, /hub-record\.json[^]*db\.acknowledgeSeals\(\)/);
    await identity.begin((tx) => acknowledgeSeals(tx, shell.operator));
    await told(512);
    const known = (await look())(check)!;
    assert.equal(known.state, "note");
    assert.match(known.advice!, /ends when the data station removes hub-record\.json/);
    const [word] = await identity`select who_kind, path from audit where what like '%acknowledged'`;
    assert.equal(word!.who_kind, "operator");
    await told(600);
    const { findings } = await diagnose(shell, NOWHERE);
    assert.deepEqual(
      findings.filter((one) => one.check === check).map((one) => one.state).sort(),
      ["note", "wrong"],
    );
  });
});
