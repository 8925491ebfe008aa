import assert from "node:assert/strict";
import { Hono } from "hono";
import { z } from "zod";
import { useTestPostgres } from "../../tests/harness.ts";
import { startTestNats } from "../../tests/support/nats.ts";
import { type Db, migrate, openDatabase } from "./db.ts";
import { SextantError } from "../service/errors.ts";
import { allow } from "../contract/allow.ts";
import { type AppEnv, createApp } from "../contract/app.ts";
import { body } from "../contract/validate.ts";
import { idempotent, once } from "./idempotency.ts";
import { silentLogger } from "../service/log.ts";
import { createEventOutbox, type Outbox } from "./outbox.ts";

const log = silentLogger;
const postgres = useTestPostgres();

/**
 * A service with one route, whose handler looks at the name before its transaction, as routes do.
 */
async function withApp(
  test: (
    given: { app: Hono<AppEnv>; db: Db; before: { insert(): Promise<void> } },
  ) => Promise<void>,
): Promise<void> {
  const db = openDatabase(await postgres.newDatabase("identity"), { schema: "identity", log });
  const nats = await startTestNats();
  let outbox: Outbox | undefined;
  try {
    await migrate(db, new URL("../../services/identity/schema/", import.meta.url), log);
    await db`create table thing (name text constraint thing_name_unique unique)`;
    outbox = await createEventOutbox({
      db,
      nc: (await nats.service("identity")).nc,
      service: "identity",
      log,
    });
    const before = { insert: () => Promise.resolve() };
    await test({ app: appOf(db, outbox, before), db, before });
  } finally {
    await outbox?.stop();
    await nats.stop();
    await db.end({ timeout: 5 });
  }
}

function appOf(db: Db, outbox: Outbox, before: { insert(): Promise<void> }): Hono<AppEnv> {
  const app = createApp(log);
  app.post(
    "/thing",
    allow(["user"]),
    body(z.object({ name: z.string() })),
    idempotent(db),
    async function createThing(c) {
      const { name } = c.req.valid("json");
      await before.insert();
      const [taken] = await db`select from thing where name = ${name}`;
      if (taken) throw new SextantError("conflict", "The name is taken.");
      return await once(c, outbox, async ({ tx }) => {
        await tx`insert into thing values (${name})`;
        return c.json({ name, secret: crypto.randomUUID() }, 201);
      });
    },
  );
  return app;
}

async function post(app: Hono<AppEnv>, name: string, key?: string) {
  const principal = {
    kind: "user",
    id: 1,
    username: "u",
    organization_id: 1,
    rules: [],
    collaborations: [],
  };
  const response = await app.request("/thing", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    body: JSON.stringify({ name }),
  }, { principal });
  return { status: response.status, body: await response.json() };
}

Deno.test("idempotent() lets a request without a key through as it is", async () => {
  await withApp(async ({ app, db }) => {
    assert.equal((await post(app, "a")).status, 201);
    assert.equal((await post(app, "a")).status, 400);
    assert.equal((await db`select from idempotency`).length, 0);
  });
});

Deno.test("a request that is refused for what its twin has just made gets the twin's answer", async () => {
  await withApp(async ({ app, db, before }) => {
    const key = crypto.randomUUID();
    // Whichever comes second has asked for an answer before the first has one, and looks at the
    // name afterwards.
    const { promise: secondIsThere, resolve: secondArrives } = Promise.withResolvers<void>();
    const { promise: firstIsDone, resolve: firstDone } = Promise.withResolvers<void>();
    let arrived = 0;
    before.insert = () => {
      if (++arrived === 1) return secondIsThere;
      secondArrives();
      return firstIsDone;
    };
    const twins = [post(app, "a", key), post(app, "a", key)];
    Promise.race(twins).then(() => firstDone());
    const [one, other] = await Promise.all(twins);
    assert.equal(arrived, 2);
    assert.equal(one!.status, 201);
    assert.deepEqual(other, one);
    assert.equal((await db`select from thing`).length, 1);

    before.insert = () => Promise.resolve();
    assert.equal((await post(app, "a", crypto.randomUUID())).status, 400);
  });
});

Deno.test("the row of a key opens with that key alone", async () => {
  await withApp(async ({ app, db }) => {
    const [one, two] = [crypto.randomUUID(), crypto.randomUUID()];
    await post(app, "a", one);
    await post(app, "b", two);
    const [row] = await db<{ answer: Uint8Array }[]>`
      select answer from idempotency order by created_at limit 1`;
    await db`update idempotency set answer = ${row!.answer}`;
    assert.equal((await post(app, "a", one)).body.name, "a");
    assert.equal((await post(app, "b", two)).status, 500);
  });
});
