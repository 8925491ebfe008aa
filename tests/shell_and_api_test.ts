/**
 * A deletion in the shell and one through the API are the same change: they leave the same rows in
 * all databases and tell the same events. Two hubs are filled in the same way, so that their ids
 * are the same; in one of them the API deletes, in the other one the shell.
 */
import assert from "node:assert/strict";
import { openSession, type Session } from "../services/shell/session.ts";
import type { ModelName } from "../services/shell/models/description.ts";
import { HUB_SERVICES, type HubService, STREAMS, subjects } from "../shared/broker/subjects.ts";
import type { JetStreamManager } from "../shared/broker/connection.ts";
import { parseEvent } from "../shared/messages/events.ts";
import { waitFor } from "./harness.ts";
import { startTestNats } from "./support/nats.ts";
import { startTestPostgres } from "./support/postgres.ts";
import { ROOT_PASSWORD, startTestServices, type TestServices } from "./support/services.ts";

const PASSWORD = "Secret-password-1";
const INPUT = btoa(`{"method": "average"}`);

interface Hub {
  services: TestServices;
  session: Session;
  /** A request of the administrator's, or of whose token is given; the answer's body. */
  // deno-lint-ignore no-explicit-any -- each caller knows what it asked for
  call(operation: string, body?: unknown, token?: string): Promise<any>;
  /** Waits until nothing follows any more from what was done. */
  settled(): Promise<void>;
  /** What was told since the last call, in the order of the text. */
  told(): Promise<string[]>;
  stop(): Promise<void>;
}

async function startHub(): Promise<Hub> {
  const postgres = await startTestPostgres();
  const nats = await startTestNats();
  const databaseUrls = await postgres.newMigratedDatabases();
  const newMigratedDatabases = () => Promise.resolve(databaseUrls);
  const services = await startTestServices({
    postgres: { ...postgres, newMigratedDatabases },
    nats,
  });
  const broker = { url: nats.url, enrolmentFile: await nats.enrolmentFile("shell") };
  const session = await openSession({
    addresses: { databaseUrls, broker, gatewayUrl: undefined },
    say: () => {},
  });
  const { hostname, port } = services.gateway.address;
  let root = "";

  async function call(operation: string, body?: unknown, token = root) {
    const [method, path] = operation.split(" ") as [string, string];
    const response = await fetch(`http://${hostname}:${port}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    assert.ok(response.ok, `${operation} answered ${response.status}: ${answer.msg}`);
    return answer;
  }
  const login = { username: "root", password: ROOT_PASSWORD };
  root = (await call("POST /token/user", login)).access_token;
  const { nc } = session.shell.broker!;
  const manager = await nc.jetstreamManager();
  const settled = () =>
    waitFor(() => isSettled(services, manager), { timeout: 30_000, what: "the reactions" })
      .then(() => {});
  await settled();
  const before = await lastEvent(manager);
  /** By the mark by which the stream knows a second copy. */
  const heard = new Map<string, string>();
  nc.subscribe(subjects.allEvents(), {
    callback(_error, { subject, data, headers }) {
      const { name, data: told } = parseEvent(subject, data)!;
      heard.set(headers!.get("Nats-Msg-Id"), `${name} ${JSON.stringify(told)}`);
    },
  });
  let told = 0;
  return {
    services,
    session,
    call,
    settled,
    async told() {
      const all = await lastEvent(manager) - before;
      await waitFor(() => heard.size === all, { what: "all events to be heard" });
      const events = [...heard.values()].slice(told);
      told = all;
      return events.sort();
    },
    async stop() {
      await session.close();
      await services.stop();
      await nats.stop();
      await postgres.stop();
    },
  };
}

async function lastEvent(manager: JetStreamManager): Promise<number> {
  return (await manager.streams.info(STREAMS.events)).state.last_seq;
}

/**
 * Whether all events were published and every reaction to them is over. Whatever a reaction tells
 * is in the outbox before the event counts as handled, and in the stream before it is out of the
 * outbox.
 */
async function isSettled({ db }: TestServices, manager: JetStreamManager): Promise<boolean> {
  const last = await lastEvent(manager);
  for await (const { num_pending, num_ack_pending } of manager.consumers.list(STREAMS.events)) {
    if (num_pending + num_ack_pending > 0) return false;
  }
  for (const service of HUB_SERVICES) {
    const [row] = await db[service]`select 1 from outbox limit 1`;
    if (row) return false;
  }
  return await lastEvent(manager) === last;
}

// -- what is there
// ------------------------------------------------------------------------------------------

const KEEPER = 2;
const PARTNER = 3;
const LEAVER = 4;

/**
 * Organizations, users, collaborations and tasks, of which each deletion takes some; ids are
 * counted from 1.
 */
async function fill({ call, services, session }: Hub): Promise<void> {
  for (const name of ["Keeper", "Partner", "Leaver"]) await call("POST /organization", { name });
  const rules = [1, 2, 3];
  await call("POST /role", { name: "extra", description: "", rules, organization_id: KEEPER });
  await call("POST /role", { name: "own", description: "", rules, organization_id: LEAVER });
  const [{ id: extra }] = (await call("GET /role?name=extra")).data;
  const newUser = async (username: string, organization_id: number, roles: number[]) => {
    const name = { firstname: username, lastname: "", email: `${username}@hub.example` };
    await call("POST /user", { username, password: PASSWORD, ...name, organization_id, roles });
    return (await call("POST /token/user", { username, password: PASSWORD })).access_token;
  };
  const stayer = await newUser("stayer", KEEPER, [1, extra]);
  const goer = await newUser("goer", KEEPER, [1, extra]);
  const leaver = await newUser("leaver", LEAVER, [1]);
  const everybody = [KEEPER, PARTNER, LEAVER];
  const newCollaboration = async (name: string) => {
    await call("POST /collaboration", { name, encrypted: false, organization_ids: everybody });
    const [{ id: collaboration_id }] = (await call(`GET /collaboration?name=${name}`)).data;
    for (const organization_id of everybody) {
      await call("POST /node", { collaboration_id, organization_id });
    }
    const study = { name: `study of ${name}`, collaboration_id, organization_ids: everybody };
    return { collaboration_id, study_id: (await call("POST /study", study)).id };
  };
  const kept = await newCollaboration("kept");
  const gone = await newCollaboration("gone");
  await services.db.collaboration`
    insert into algorithm_store (name, url, collaboration_id)
    values ('store', 'https://store.example', ${gone.collaboration_id})`;
  const post = (where: object, name: string, token: string) => {
    const organizations = everybody.map((id) => ({ id, input: INPUT }));
    return call("POST /task", { ...where, name, image: "image", organizations }, token);
  };
  const parent = await post({ collaboration_id: kept.collaboration_id }, "parent", stayer);
  await post({ collaboration_id: kept.collaboration_id }, "computed by others", stayer);
  await post({ study_id: kept.study_id }, "in the study", stayer);
  await post({ collaboration_id: gone.collaboration_id }, "in the other collaboration", stayer);
  await post({ study_id: gone.study_id }, "in the other study", stayer);
  await post({ collaboration_id: kept.collaboration_id }, "by who goes", goer);
  await post({ collaboration_id: kept.collaboration_id }, "by who leaves", leaver);
  // A child as its algorithm would make it, with one share that runs and one that is finished.
  const { Task, Result } = session.shell.models;
  const child = await new Task({
    name: "child",
    image: "image",
    runId: parent.job_id,
    parent: parent.id,
    collaboration: kept.collaboration_id,
    initiator: KEEPER,
  }).save();
  await new Result({
    task: child,
    organization: KEEPER,
    status: "completed",
    finishedAt: new Date(),
  })
    .save();
  await services.db.task`update result set status = 'active' where organization_id = ${PARTNER}`;
}

// -- comparing
// ----------------------------------------------------------------------------------------------

/** Tables that say how something was done, not what is there. */
const LEFT_OUT = [
  "migration",
  "audit",
  "audit_seal",
  "audit_tile",
  "audit_tree_head",
  "signing_key",
  "idempotency",
];
/** Columns that hold what nobody can guess, and so what no two hubs have in common. */
const RANDOM = ["password_hash", "api_key_sha256", "jti", "access_jti", "chain"];

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** All rows of all databases as text; of a moment only whether there is one. */
async function rowsOf({ services: { db } }: Hub): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const service of HUB_SERVICES) {
    const tables = await db[service]<{ name: string }[]>`
      select tablename as name from pg_tables where schemaname = current_schema()
      order by tablename`;
    for (const { name } of tables) {
      if (!LEFT_OUT.includes(name)) found[`${service} ${name}`] = await rowsIn(db[service], name);
    }
  }
  return found;
}

async function rowsIn(db: TestServices["db"][HubService], table: string): Promise<string[]> {
  const rows = await db<Record<string, unknown>[]>`select * from ${db(table)}`;
  if (table === "row_count") return sumsOf(rows);
  return rows.map((row) => {
    // The id of a log-in is one that nobody can guess, too; other ids are numbers.
    const known = Object.entries(row).filter(([column, value]) =>
      !RANDOM.includes(column) && !(column === "id" && UUID.test(String(value)))
    );
    return JSON.stringify(
      Object.fromEntries(known.map(([name, value]) => [name, value instanceof Date || value])),
    );
  }).sort();
}

/** Counts are kept in parts, which transactions add up when they can. */
function sumsOf(rows: Record<string, unknown>[]): string[] {
  const sums = new Map<string, number>();
  for (const { rows: part, ...of } of rows) {
    const key = JSON.stringify(of);
    sums.set(key, (sums.get(key) ?? 0) + Number(part));
  }
  return [...sums].filter(([, sum]) => sum > 0).map(([of, sum]) => `${of}: ${sum}`).sort();
}

interface Deletion {
  model: ModelName;
  path: string;
  id: number;
  /** What must be among the events, so that the comparison is of something. */
  tells: string;
}

const DELETIONS: Deletion[] = [
  { model: "Role", path: "role", id: 8, tells: `role.deleted {"role_id":8}` },
  { model: "Task", path: "task", id: 1, tells: `task.deleted {"task_id":8,` },
  { model: "Node", path: "node", id: 2, tells: `"status":"failed"` },
  { model: "Study", path: "study", id: 1, tells: `task.deleted {"task_id":3,` },
  { model: "Collaboration", path: "collaboration", id: 2, tells: `task.deleted {"task_id":5,` },
  { model: "User", path: "user", id: 3, tells: `task.deleted {"task_id":6,` },
  { model: "Organization", path: "organization", id: 4, tells: `task.deleted {"task_id":7,` },
];

Deno.test("the shell's deletion of each noun leaves and tells what the API's does", async (t) => {
  const [byApi, byShell] = await Promise.all([startHub(), startHub()]);
  const hubs = [byApi, byShell];
  try {
    for (const hub of hubs) {
      await fill(hub);
      await hub.settled();
      await hub.told();
    }
    assert.deepEqual(await rowsOf(byShell), await rowsOf(byApi));
    for (const { model, path, id, tells } of DELETIONS) {
      await t.step(`${model} ${id}`, async () => {
        await byApi.call(`DELETE /${path}/${id}?delete_dependents=true`);
        const record = await byShell.session.shell.models[model].get(id);
        assert.match(await record!.delete({ yes: true }), / is deleted/);
        await Promise.all(hubs.map((hub) => hub.settled()));
        const told = await byShell.told();
        assert.deepEqual(told, await byApi.told());
        assert.ok(told.some((one) => one.includes(tells)), told.join("\n"));
        assert.deepEqual(await rowsOf(byShell), await rowsOf(byApi));
      });
    }
    await t.step("what an organization that is gone computed for others stays", async () => {
      const results = await byShell.services.db.task`
        select 1 from result where organization_id = ${LEAVER}`;
      assert.equal(results.length, 1);
    });
    // Nobody can delete a result alone through the API; the shell tells how it ended, as with a
    // task's.
    await t.step("Result, which the API cannot delete", async () => {
      const { Task, Result } = byShell.session.shell.models;
      const place = { collaboration: 1, initiator: KEEPER };
      const task = await new Task({ name: "last", image: "image", runId: 99, ...place }).save();
      const result = await new Result({ task, organization: KEEPER }).save();
      await byShell.settled();
      await byShell.told();
      await result.delete({ yes: true });
      await byShell.settled();
      const [told, ...more] = await byShell.told();
      assert.match(told!, /^result\.status .*"status":"killed by user"/);
      assert.deepEqual(more, []);
    });
  } finally {
    await Promise.all(hubs.map((hub) => hub.stop()));
  }
});
