import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { parse, stringify } from "yaml";
import { temporaryFolder, useTestPostgres } from "../../../tests/harness.ts";
import { prepareDatabases } from "../../../tests/support/shell.ts";
import { verifyPassword } from "../../identity/accounts/passwords.ts";
import type { Db } from "../../../shared/storage/db.ts";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { HUB_SERVICES, type HubService } from "../../../shared/broker/subjects.ts";
import { openSession } from "../session.ts";
import type { ImportReport } from "./report.ts";

const postgres = useTestPostgres();
const SAMPLE = await Deno.readTextFile(new URL("./sample.yaml", import.meta.url));

interface World {
  databases: Record<HubService, Db>;
  import(text: string, options?: object): Promise<ReturnType<ImportReport["toJSON"]>>;
  /** Everything in the tables that an import writes, as text. */
  state(): Promise<string>;
  eval: Record<string, (...values: unknown[]) => Promise<unknown>>;
}

async function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  const urls = await postgres.newDatabases();
  await prepareDatabases(urls);
  const folder = await temporaryFolder();
  const path = join(folder.path, "file.yaml");
  const session = await openSession({
    addresses: { databaseUrls: urls, broker: undefined, gatewayUrl: undefined },
    say: () => {},
  });
  const db = session.db as World["eval"];
  try {
    await work({
      databases: session.shell.databases,
      eval: db,
      async import(text, options) {
        await Deno.writeTextFile(path, text);
        return (await db.import!(path, options) as ImportReport).toJSON();
      },
      async state() {
        const tables: Record<HubService, string[]> = {
          identity: ["organization", `"user"`, "user_role", "outbox", "audit"],
          collaboration: ["collaboration", "collaboration_member", "node", "outbox", "audit"],
          task: ["task", "task_database", "result", "outbox", "audit"],
        };
        const parts: unknown[] = [];
        for (const service of HUB_SERVICES) {
          for (const table of tables[service]) {
            const rows = await session.shell.databases[service].unsafe(
              `select row.*::text from ${table} as row order by 1`,
            );
            parts.push([service, table, [...rows]]);
          }
        }
        return JSON.stringify(parts);
      },
    });
  } finally {
    await session.close();
    await folder.remove();
  }
}

Deno.test("import() creates what the file says", async () => {
  await inWorld(async ({ databases, import: run }) => {
    const report = await run(SAMPLE);
    assert.equal(report.created.length, 3 + 7 + 3 + 7 + 4);
    assert.equal(report.warnings.filter((one) => /gets Root/.test(one)).length, 6);
    const [{ password_hash, role }] = await databases.identity`
      select password_hash, role.name as role from "user"
      join user_role on user_id = "user".id join role on role.id = role_id
      where username = 'viewer@big-organization.example'` as unknown as [Record<string, string>];
    assert.equal(role, "Viewer");
    assert.ok(await verifyPassword(password_hash, "password"));
    const [node] = await databases.collaboration`
      select name, api_key_sha256 from node where name like 'IKNL - ZEPPELIN%'`;
    assert.equal(node!.name, "IKNL - ZEPPELIN Node");
    assert.equal(node!.api_key_sha256, await sha256Hex("123e4567-e89b-12d3-a456-426614174001"));
    const tasks = await databases.task`
      select count(distinct task.id)::integer as tasks, count(*)::integer as results,
        count(distinct job_id)::integer as runs, bool_or(node_id is not null) as dispatched
      from task join result on task_id = task.id`;
    assert.deepEqual({ ...tasks[0] }, { tasks: 4, results: 9, runs: 4, dispatched: false });
    const zipcodes = await databases.identity`select zipcode from organization order by id`;
    assert.deepEqual(zipcodes.map((one) => one.zipcode), ["3511DT", "1234AB", "54331"]);
  });
});

Deno.test("import() of the same file a second time changes nothing", async () => {
  await inWorld(async ({ import: run, state }) => {
    await run(SAMPLE);
    const before = await state();
    const { created, changed, unchanged } = await run(SAMPLE);
    assert.deepEqual({ created, changed }, { created: [], changed: [] });
    assert.equal(unchanged.length, 24);
    assert.equal(await state(), before);
  });
});

Deno.test("import() with dryRun says what would change and writes nothing", async () => {
  await inWorld(async ({ import: run, state }) => {
    const before = await state();
    const report = await run(SAMPLE, { dryRun: true });
    assert.equal(report.created.length, 24);
    assert.equal(report.dry_run, true);
    assert.equal(await state(), before);
  });
});

Deno.test("import() of a changed file changes that", async () => {
  await inWorld(async ({ import: run, databases }) => {
    await run(SAMPLE);
    const changed = SAMPLE
      .replace("Big Ambitions Drive 4", "Small Steps Lane 1")
      .replace("firstname: Stan", "firstname: Stanley")
      .replace("roles: [Viewer]", "roles: [Researcher]")
      .replace("426614174001", "426614174009");
    const report = await run(changed);
    assert.deepEqual(report.created, []);
    assert.deepEqual(report.changed, [
      { what: "organization Small Organization", fields: ["address1"] },
      { what: "user stan", fields: ["firstname"] },
      { what: "user viewer@big-organization.example", fields: ["roles"] },
      { what: "node IKNL - ZEPPELIN Node", fields: ["apiKey"] },
    ]);
    const told = await databases.collaboration`
      select subject from outbox where subject = 'event.node.key_reset'`;
    assert.equal(told.length, 1);
  });
});

const BROKEN: [what: string, text: string, message: RegExp][] = [
  [
    "a bad reference",
    SAMPLE.replace("- name: IKNL\n        api_key", "- name: Nobody\n        api_key"),
    /line 56, participant "Nobody" of collaboration "ZEPPELIN": there is no organization "Nobody"/,
  ],
  [
    "a duplicate user name",
    SAMPLE.replace("username: stan", "username: admin"),
    /line 33, user "admin" of organization "[^"]+": the user name "admin" again, as in line 9/,
  ],
  [
    "a wrong type",
    SAMPLE.replace("encrypted: false", "encrypted: perhaps"),
    /line 63, collaboration "[^"]+": encrypted must be true or false/,
  ],
  [
    "a missing name",
    SAMPLE.replace("- username: stan\n        firstname", "- firstname"),
    /line 33, user 2 of organization "Small Organization": username is missing/,
  ],
  [
    "an unknown role",
    SAMPLE.replace("[Viewer]", "[Dreamer]"),
    /^ImportProblem: [^ ]+ is not imported, nothing was changed: line 51, role "Dreamer" of user "[^"]+" of organization "[^"]+": there is no role "Dreamer"$/,
  ],
  [
    "a key that is no UUID",
    SAMPLE.replace("123e4567-e89b-12d3-a456-426614174001", "k"),
    /line 57, participant "IKNL" of collaboration "ZEPPELIN": api_key must be a UUID/,
  ],
  ["no YAML", SAMPLE.replace("organizations:", "organizations: ["), /line \d+: /],
  ["a list", "- a\n- b\n", /line 1: must hold organizations/],
];

for (const [what, text, message] of BROKEN) {
  Deno.test(`import() of a file with ${what} changes nothing and names the line`, async () => {
    await inWorld(async ({ import: run, state }) => {
      const before = await state();
      await assert.rejects(run(text), message);
      assert.equal(await state(), before);
    });
  });
}

Deno.test("import() warns of a key that is not known; with strict it refuses", async () => {
  await inWorld(async ({ import: run, state }) => {
    const before = await state();
    await assert.rejects(
      run(SAMPLE, { strict: true }),
      /line 73, collaboration "[^"]+": the key domain is not known/,
    );
    assert.equal(await state(), before);
    const { warnings } = await run(SAMPLE);
    assert.match(
      warnings[0]!,
      /^line 73, collaboration "[^"]+": the key domain is not known; it is ignored$/,
    );
  });
});

Deno.test("import() warns of a participant without a node", async () => {
  await inWorld(async ({ import: run }) => {
    const key = "123e4567-e89b-12d3-a456-426614174001";
    const without = SAMPLE.replace(`        api_key: ${key}\n`, "");
    const warning = /^line 56: IKNL has no node in ZEPPELIN; give an api_key/;
    assert.ok((await run(without)).warnings.some((one) => warning.test(one)));
    await run(SAMPLE);
    assert.ok(!(await run(without)).warnings.some((one) => warning.test(one)));
  });
});

Deno.test("import() changes nothing when the database refuses only at the commit", async () => {
  await inWorld(async ({ import: run, state, databases }) => {
    // Would fail only when the transaction of identity is committed.
    await databases.identity.unsafe(`
      create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'refused at the commit'; end $$;
      create constraint trigger refuse after insert on "user"
        deferrable initially deferred for each row execute function refuse()`);
    const withoutAudit = async () => (await state()).replace(/"audit",\[[^]*?\]\]/g, "");
    const before = await withoutAudit();
    await assert.rejects(run(SAMPLE), /refused at the commit/);
    assert.equal(await withoutAudit(), before);
  });
});

Deno.test("export() gives a file that changes nothing, and holds no secret", async () => {
  await inWorld(async ({ import: run, eval: db, state }) => {
    await run(SAMPLE);
    const text = await db.export!() as string;
    assert.doesNotMatch(text, /argon2|password|api_key/);
    const before = await state();
    const { created, changed, unchanged } = await run(text);
    assert.deepEqual({ created, changed }, { created: [], changed: [] });
    assert.equal(unchanged.length, 3 + 7 + 3);
    assert.equal(await state(), before);
  });
});

Deno.test("import() moves the role of the only administrator to another user, and does not take it away", async () => {
  await inWorld(async ({ import: run, state, databases }) => {
    const file = (alice: string, bob: string) =>
      `organizations:
  - name: hub
    users:
      - { username: alice, password: Secret-password-1, roles: [${alice}] }
      - { username: bob, password: Secret-password-1, roles: [${bob}] }
`;
    await run(file("Root", "Viewer"));
    const before = await state();
    await assert.rejects(
      run(file("Viewer", "Viewer")),
      /nobody would be left who can administer this server/,
    );
    assert.equal(await state(), before);
    await run(file("Viewer", "Root"));
    const [row] = await databases.identity`
      select username from "user" join user_role on user_id = "user".id
      join role on role.id = role_id where role.name = 'Root'`;
    assert.equal(row!.username, "bob");
  });
});

/** Texts that Postgres can hold, and among them what YAML takes for something else. */
const text = fc.oneof(
  fc.string({ unit: "binary" }).filter((one) => !one.includes("\0")),
  fc.constantFrom(
    "",
    " ",
    "yes",
    "null",
    "~",
    "1",
    "0x1f",
    "2026-01-01",
    "- a",
    "a: b",
    "#",
    "'",
    '"',
  ),
  fc.constantFrom(
    "a\nb\n",
    "\ttab",
    "| >",
    "&a",
    "*a",
    "!!str a",
    "a  ",
    "\u0085",
    "\u2028",
    "a".repeat(300),
  ),
);

Deno.test("export() and import() are each other's inverse, whatever the names", async () => {
  await inWorld(async ({ import: run, eval: db, state }) => {
    const property = fc.asyncProperty(text, text, text, async (name, username, other) => {
      const email = null;
      const users = [{ username, firstname: other, lastname: name, email, roles: ["Viewer"] }];
      const organization = { name, domain: other, address1: username, zipcode: other, users };
      const collaborations = [
        { name: other, encrypted: false, participants: [{ name }] },
        { name: `${other} without members`, encrypted: true, participants: [] },
      ];
      const withPassword = { ...organization, users: [{ ...users[0], password: "p" }] };
      await run(stringify({ organizations: [withPassword], collaborations }));
      const exported = await db.export!() as string;
      const before = await state();
      const { created, changed } = await run(exported, { strict: true });
      assert.deepEqual({ created, changed }, { created: [], changed: [] });
      assert.equal(await state(), before);
      const found = parse(exported);
      const same = (one: { name: string }) => one.name === name;
      const { users: theirs, ...rest } = found.organizations.find(same);
      for (const key of ["name", "domain", "address1", "zipcode"] as const) {
        assert.equal(rest[key], organization[key]);
      }
      assert.ok(theirs.some((one: { username: string }) => one.username === username));
      for (const one of collaborations) {
        assert.deepEqual(
          found.collaborations.find((it: { name: string }) => it.name === one.name),
          one,
        );
      }
      // The next case begins with nothing.
      await (await (db.Organization as never as Finder).getByName(name))!.delete({
        yes: true,
        force: true,
      });
      for (const { name } of collaborations) {
        await (await (db.Collaboration as never as Finder).getByName(name))!.delete({ yes: true });
      }
    });
    await fc.assert(property, { numRuns: 40 });
  });
});

interface Finder {
  getByName(name: string): Promise<{ delete(options: object): Promise<string> } | undefined>;
}
