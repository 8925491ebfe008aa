import assert from "node:assert/strict";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { checkBackup } from "../services/stack/backup/check.ts";
import { restoreNamed } from "../services/stack/backup/restore_named.ts";
import { POSTGRES_ADMIN, startPostgres } from "../services/stack/postgres.ts";
import { startProcess } from "../services/stack/process.ts";
import { ROOT } from "../services/stack/service_part.ts";
import { type Stack, startStack } from "../services/stack/stack.ts";
import { silentLogger } from "../shared/service/log.ts";
import { isOpen } from "../shared/node_protocol/status.ts";
import { openDatabase } from "../shared/storage/db.ts";
import { watchFeed } from "./faults/witness.ts";
import { CACHE_FOLDER, temporaryFolder, waitFor } from "./harness.ts";
import { createSite, encodeInput, type Json, type Site } from "./site.ts";

const MAIN = `${ROOT}services/stack/backup/main.ts`;
const RUNS = 200;

async function run(command: "backup" | "restore", args: string[]) {
  const lines: string[] = [];
  const process = startProcess({
    command: Deno.execPath(),
    args: ["run", "-A", MAIN, command, ...args],
    env: Deno.env.toObject(),
    onLine: (line) => lines.push(line),
  });
  const { code } = await process.exited;
  return { code, text: lines.join("\n") };
}

async function done(command: "backup" | "restore", args: string[]): Promise<string> {
  const { code, text } = await run(command, args);
  assert.equal(code, 0, text);
  return text;
}

/** A data folder in which what is downloaded need not be again. */
async function dataFolder(parent: string, name: string): Promise<string> {
  const path = `${parent}/${name}`;
  await Deno.mkdir(path, { mode: 0o711 });
  await Deno.mkdir(CACHE_FOLDER, { recursive: true });
  await Deno.symlink(CACHE_FOLDER, `${path}/cache`);
  return path;
}

const start = (folder: string) => startStack({ folder, temporary: true });

/** An agent that is no part of the hub, and goes on when that goes. */
function startAgent(config: string): Deno.ChildProcess {
  // Not by startProcess(): a stack that stops ends what this process has started by that.
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--unstable-no-legacy-abort", `${ROOT}services/node/main.ts`]
      .concat("--config", config, "--kill-runs"),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

async function everythingEnds(site: Site): Promise<Json[]> {
  return await waitFor(async () => {
    const { data } = await site.researcher.get("/run");
    return data.every((one: Json) => !isOpen(one.status)) ? data : undefined;
  }, { what: "every result to end", timeout: 180_000 });
}

/** What is left of a site whose people have logged in anew. */
async function loggedIn(site: Site, first: Stack): Promise<Site> {
  const researcher = await site.researcher.login(site.login.username, site.login.password);
  const { username, password } = await first.adminCredentials();
  const admin = await site.admin.login(username, password);
  return { ...site, researcher, admin };
}

Deno.test("a backup taken in the middle of 200 runs and restored elsewhere has every task acknowledged before it; nodes go on, and every result ends once", async () => {
  const folder = await temporaryFolder();
  const agents: Deno.ChildProcess[] = [];
  const hubs: Stack[] = [];
  try {
    const first = await start(await dataFolder(folder.path, "first"));
    hubs.push(first);
    const site = await createSite({ ...first, log: [] }, { data: ["x\n1\n", "x\n2\n"] });
    for (const { config } of site.members) agents.push(startAgent(config));
    await waitFor(async () => {
      const { data } = await site.admin.get("/node");
      return data.length === 2 && data.every((node: Json) => node.status === "online");
    }, { what: "both nodes to be online", timeout: 60_000 });

    const identity = await generateIdentity();
    await Deno.writeTextFile(`${folder.path}/identity`, `# a comment\n${identity}\n`);
    const file = `${folder.path}/hub.backup`;
    let acknowledged: number[] = [];
    let backup: Promise<string> | undefined;
    const ids: number[] = [];
    for (let count = 0; count < RUNS; count++) {
      if (count === RUNS * 0.4) {
        await waitFor(
          async () =>
            (await site.researcher.get("/run")).data.some((one: Json) => !isOpen(one.status)),
          { what: "a result that had ended before the backup", timeout: 60_000 },
        );
        acknowledged = [...ids];
        const recipient = await identityToRecipient(identity);
        const to = ["--to", file, "--recipient", recipient];
        backup = done("backup", [...to, "--data", first.folder]);
      }
      const members = [site.members[count % 2]!];
      const kwargs = { ms: 20 * (count % 8) };
      ids.push((await site.post({ image: "deno:slow@1.0.0", method: "wait", kwargs, members })).id);
    }
    assert.match(await backup!, /Backup of .*: Sextant /);
    const before = await everythingEnds(site);
    assert.equal(before.length, RUNS);
    assert.equal(Deno.statSync(file).mode! & 0o777, 0o600);
    assert.equal((await run("backup", ["--to", file, "--data", first.folder])).code, 1);
    await first.stop();
    hubs.pop();

    const elsewhere = await dataFolder(folder.path, "elsewhere");
    const from = ["--from", file, "--data", elsewhere];
    assert.match((await run("restore", from)).text, /it is encrypted/);
    const opened = [...from, "--identity-file", `${folder.path}/identity`];
    assert.match(await done("restore", opened), /Restored\. Start it: deno task up --data/);
    const second = await start(elsewhere);
    hubs.push(second);
    assert.equal(second.gatewayUrl, first.gatewayUrl);
    assert.equal((await site.researcher.request("GET", "/run?per_page=1")).status, 401);
    const restored = await loggedIn(site, first);
    const witness = watchFeed(restored.researcher);
    const after = await everythingEnds(restored);
    const newTask = await restored.researcher.post("/task", {
      name: "of a new time",
      image: "deno:slow@1.0.0",
      collaboration_id: site.collaborationId,
      organizations: [{ id: site.members[0]!.id, input: encodeInput({ method: "now" }) }],
      databases: [{ label: "default" }],
    });
    await everythingEnds(restored);
    await witness.stop();

    const found = new Set(after.map((one) => one.task.id));
    const lost = acknowledged.filter((id) => !found.has(id));
    assert.deepEqual(lost, []);
    assert.ok(after.length < RUNS, "the backup was not taken in the middle");
    assert.deepEqual([...new Set(after.map((one) => one.status))], ["completed"]);
    for (const [id, ends] of witness.ends) assert.equal(ends.length, 1, `result ${id} ended twice`);
    // What had ended by then ended then; what the hub knew as open was settled with the nodes.
    const open = after.filter(({ id, finished_at }) =>
      before.find((one) => one.id === id).finished_at !== finished_at
    );
    assert.ok(open.length > 0, "nothing was open when the backup was taken");
    assert.ok(open.length < after.length, "everything was open when the backup was taken");
    // Nodes know ids that were given since the backup: no other task gets one of those.
    assert.ok(newTask.id > Math.max(...ids) + 100_000, `task ${newTask.id}`);
    const { data: records } = await restored.admin.get("/audit?what=hub.restored");
    assert.equal(records.length, 3);
    for (const { who, data } of records) {
      assert.equal(who.kind, "operator");
      assert.ok(Date.parse(data.backup_of) < Date.now());
    }
    console.log(
      `${acknowledged.length} tasks acknowledged before the backup, ${after.length} in it, ` +
        `${open.length} of them open`,
    );
  } finally {
    for (const agent of agents) agent.kill("SIGTERM");
    await Promise.all(agents.map((agent) => agent.status));
    await Promise.all(hubs.map((hub) => hub.stop()));
    await folder.remove();
  }
});

Deno.test("restore checks the whole backup first, sets a hub aside only when told to, and deletes nothing", async () => {
  const folder = await temporaryFolder();
  try {
    const data = await dataFolder(folder.path, "data");
    const hub = await start(data);
    const site = await createSite({ ...hub, log: [] }, { data: ["x\n1\n"] });
    const file = `${folder.path}/hub.backup`;
    const from = ["--from", file, "--data", data];
    assert.match(
      await done("backup", ["--to", file, "--data", data]),
      /It is not encrypted: it holds every key/,
    );
    assert.match((await run("restore", [...from, "--replace"])).text, /runs\. Stop it first/);
    await hub.stop();
    assert.match((await run("restore", from)).text, /there is a hub in .* already/);

    const bytes = await Deno.readFile(file);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    await Deno.writeFile(`${file}.damaged`, bytes);
    await Deno.writeFile(`${file}.cut`, bytes.subarray(0, bytes.length / 2));
    for (const broken of [`${file}.damaged`, `${file}.cut`]) {
      const { code, text } = await run("restore", ["--from", broken, "--data", data, "--replace"]);
      assert.equal(code, 1);
      assert.match(text, /Cannot use the backup: /);
    }
    const keyOf = (place: string) => Deno.readTextFile(`${place}/services/task/dispatch_key`);
    const key = await keyOf(data);
    const names = () => [...Deno.readDirSync(data)].map(({ name }) => name);
    assert.ok(!names().some((name) => name.startsWith("before-restore")));

    // Also when nothing runs: then its database server is started for it.
    await done("backup", ["--to", `${file}.2`, "--data", data]);
    assert.match(await done("restore", ["--from", `${file}.2`, "--check"]), /Backup of/);
    await done("restore", ["--from", `${file}.2`, "--data", data, "--replace"]);
    const aside = names().find((name) => name.startsWith("before-restore"))!;
    assert.equal(await keyOf(`${data}/${aside}`), key);
    assert.equal(await keyOf(data), key);
    const again = await start(data);
    const { name } = await (await loggedIn(site, hub)).admin.get(
      `/organization/${site.members[0]!.id}`,
    );
    assert.equal(name, site.members[0]!.name);
    await again.stop();

    await restoreOnServer(`${folder.path}/volumes`, { data, file });

    await Deno.mkdir(`${data}/restoring`);
    await assert.rejects(start(data), /Cannot start: a backup was being restored into/);
  } finally {
    await folder.remove();
  }
});

/** Restores onto a server that goes on, as compose.yaml has one, with a hub's database on it. */
async function restoreOnServer(
  volumes: string,
  { data, file }: { data: string; file: string },
): Promise<void> {
  const adminPassword = await Deno.readTextFile(`${data}/database/${POSTGRES_ADMIN}`);
  const server = await startPostgres({
    folder: `${data}/postgres`,
    cacheFolder: CACHE_FOLDER,
    adminPassword,
  });
  const adminUrl = (database: string) => server.url(POSTGRES_ADMIN, adminPassword, database);
  const admin = openDatabase(adminUrl("postgres"), {
    schema: "public",
    log: silentLogger,
    max: 1,
  });
  const service = openDatabase(adminUrl("sextant"), { schema: "task", log: silentLogger, max: 1 });
  try {
    const deployment = {
      folder: volumes,
      adminUrl,
      serviceUrl: (role: string, password: string) => server.url(role, password, "sextant"),
      brokers: [{ host: "127.0.0.1", port: 4222, websocketPort: 8080 }],
    };
    const backup = await checkBackup(file, { identities: [] });
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    await assert.rejects(
      restoreNamed(deployment, { backup, replace: false, say }),
      /the server has a database sextant already/,
    );
    await service`select 1`;
    await assert.rejects(
      restoreNamed(deployment, { backup, replace: true, say }),
      /sextant-task work with the database\. Stop the hub first/,
    );
    await service.end();
    await Deno.mkdir(`${volumes}/services/task`, { recursive: true });
    await Deno.writeTextFile(`${volumes}/services/task/dispatch_key`, "of another hub");
    await restoreNamed(deployment, { backup, replace: true, say });
    assert.match(said.join(), /The database that was there is sextant_before_restore_\d+t\d+z now/);
    const databases = await admin<{ datname: string }[]>`select datname from pg_database`;
    const names = databases.map(({ datname }) => datname).filter((one) => /^sextant/.test(one));
    assert.equal(names.length, 2, names.join());
    const key = `${volumes}/services/task/dispatch_key`;
    assert.equal(
      await Deno.readTextFile(key),
      new TextDecoder().decode(backup.keys.get("services/task/dispatch_key")),
    );
    const [aside] = [...Deno.readDirSync(`${volumes}/services/task`)].filter((one) =>
      one.isDirectory
    );
    assert.equal(
      await Deno.readTextFile(`${volumes}/services/task/${aside!.name}/dispatch_key`),
      "of another hub",
    );
  } finally {
    await service.end({ timeout: 1 });
    await admin.end({ timeout: 1 });
    await server.stop();
  }
}
