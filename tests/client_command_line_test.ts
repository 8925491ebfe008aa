/**
 * A researcher's command line from outside: what it prints, what it ends with, what it leaves
 * behind.
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { newPrivateKey } from "../services/node/encryption/keys.ts";
import { temporaryFolder, useTestStack, waitFor } from "./harness.ts";
import { createSite, type Site } from "./site.ts";
import { type CommandOptions, runCommand, startCommand } from "./support/client_command.ts";

const stack = useTestStack();
const DATA = ["x,y\n1,2\n2,4\n", "x,y\n6,6\n"];

interface Place {
  plain: Site;
  secret: Site;
  keyFile: string;
}
let made: Promise<Place> | undefined;

function place(): Promise<Place> {
  return made ??= makePlace();
}

async function makePlace(): Promise<Place> {
  const keys = await Promise.all(DATA.map(() => newPrivateKey(2048)));
  const files = await Promise.all(keys.map(async (key) => {
    const path = await Deno.makeTempFile({ dir: stack().folder, suffix: ".pem" });
    await Deno.writeTextFile(path, key);
    return path;
  }));
  const policies = {
    allowed_algorithms: ["deno:average@1.0.0", "deno:slow@1.0.0", "deno:compare_means"],
  };
  const plain = await createSite(stack(), {
    data: DATA,
    node: { policies, algorithm_library: true },
  });
  const secret = await createSite(stack(), {
    data: DATA,
    encrypted: true,
    node: (index) => ({ policies, encryption: { enabled: true, private_key: files[index] } }),
  });
  for (const site of [plain, secret]) {
    for (const member of site.members) await site.startNode(member);
    await waitFor(
      async () => (await site.admin.get("/algorithm?name=average")).data.length > 0,
      { what: "nodes to tell of their algorithms" },
    );
  }
  return { plain, secret, keyFile: files[0]! };
}

/** A configuration folder in which somebody has logged in. */
async function withFolder(
  site: Site | undefined,
  work: (
    command: (args: string[], options?: Partial<CommandOptions>) => ReturnType<typeof runCommand>,
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const command = (args: string[], options: Partial<CommandOptions> = {}) =>
    runCommand(args, { folder: folder.path, ...options });
  try {
    if (site) {
      const { username, password } = site.login;
      const { code, stderr } = await command(
        ["login", stack().gatewayUrl, "--username", username, "--hub", "here"],
        { env: { SEXTANT_PASSWORD: password } },
      );
      assert.equal(code, 0, stderr);
    }
    await work(command, folder.path);
  } finally {
    await folder.remove();
  }
}

Deno.test("login keeps the log-in for its user alone, and never the password; logout ends it", async () => {
  const { plain } = await place();
  const { username, password } = plain.login;
  await withFolder(undefined, async (command, folder) => {
    const before = await command(["tasks"]);
    assert.equal(before.code, 3, before.stderr);
    assert.match(before.stderr, /Nobody is logged in: deno task client login ADDRESS/);

    const login = ["login", `${stack().gatewayUrl}/api/`, "--username", username, "--hub", "here"];
    const asked = await command(login);
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /There is no terminal to ask at: set SEXTANT_PASSWORD/);
    const wrong = await command(login, { env: { SEXTANT_PASSWORD: "wrong" } });
    assert.notEqual(wrong.code, 0);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);

    const well = await command([...login, "--stdin", "--json"], { input: `${password}\n` });
    assert.equal(well.code, 0, well.stderr);
    assert.deepEqual(JSON.parse(well.stdout), { hub: "here", url: stack().gatewayUrl, username });
    const file = join(folder, "hubs", "here.json");
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(join(folder, "hubs"))).mode! & 0o777, 0o700);
    const kept = await Deno.readTextFile(file);
    assert.ok(!kept.includes(password));
    const { tokens } = JSON.parse(kept);

    const other = await command([
      "login",
      "http://127.0.0.1:1",
      "--hub",
      "here",
      ...login.slice(2, 4),
    ]);
    assert.equal(other.code, 2);
    assert.match(other.stderr, /give this one another name with --hub/);
    const away = await command([
      "login",
      "http://127.0.0.1:1",
      "--hub",
      "away",
      ...login.slice(2, 4),
    ], {
      env: { SEXTANT_PASSWORD: "x" },
    });
    assert.equal(away.code, 4, away.stderr);
    assert.match(away.stderr, /Cannot reach the hub at http:\/\/127\.0\.0\.1:1/);

    assert.match((await command(["hubs"])).stdout, /here +│ http:\/\/127.*yes +│ yes/);
    assert.equal((await command(["logout"])).code, 0);
    assert.equal((await command(["tasks"])).code, 3);
    const refresh = await plain.admin.as(tokens.refresh_token).request("POST", "/token/refresh");
    assert.equal(refresh.status, 401, "ended at the hub, too");
    await refresh.body?.cancel();
  });
});

Deno.test("a log-in that ended elsewhere is named, with an exit code of its own", async () => {
  const { plain } = await place();
  await withFolder(plain, async (command, folder) => {
    const { tokens } = JSON.parse(await Deno.readTextFile(join(folder, "hubs", "here.json")));
    await plain.admin.as(tokens.refresh_token).delete("/token/refresh");
    const { code, stderr, stdout } = await command(["tasks", "--json"]);
    assert.equal(code, 3);
    assert.match(stderr, /This log-in has ended; log in again/);
    assert.equal(JSON.parse(stdout).error.exit, 3);
  });
});

Deno.test("lists show what there is, as tables and as JSON", async () => {
  const { plain } = await place();
  const [first, second] = plain.members;
  await withFolder(plain, async (command) => {
    const collaborations = await command(["collaborations"]);
    assert.match(collaborations.stdout, new RegExp(`${first!.name} \\(${first!.id}\\)`));
    const [one] = JSON.parse((await command(["collaborations", "--json"])).stdout);
    assert.equal(one.id, plain.collaborationId);
    const nodes = JSON.parse((await command(["nodes", "--json"])).stdout);
    assert.deepEqual(nodes.map((node: { status: string }) => node.status), ["online", "online"]);
    assert.match((await command(["nodes"])).stdout, new RegExp(second!.name));
    const algorithms = await command(["algorithms"]);
    assert.match(algorithms.stdout, /deno:average@1\.0\.0/);
    assert.match((await command(["algorithms", "slow"])).stdout, /it has: .*\bnow\b/);
    const described = await command(["algorithms", "compare_means"]);
    assert.match(described.stdout, /central +│ column +│ column +│ must be/);
  });
});

Deno.test("run computes, shows who is how far, and prints the result as a table and as JSON", async () => {
  const { plain } = await place();
  const [first, second] = plain.members;
  await withFolder(plain, async (command, folder) => {
    const out = join(folder, "result.json");
    const run = await command(["run", "average", "--kwargs", '{"column": "x"}', "--out", out]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(run.stdout, /│ average +│ 3 +│/);
    assert.match(run.stderr, new RegExp(`central at ${first!.name}, in "`));
    assert.match(run.stderr, new RegExp(`${first!.name}: completed`));
    assert.match(run.stderr, new RegExp(`${second!.name} \\(subtask \\d+\\): completed`));
    assert.equal(JSON.parse(await Deno.readTextFile(out)).average, 3);
    assert.equal((await Deno.stat(out)).mode! & 0o777, 0o600);

    const partial = await command(
      ["run", "average@1.0.0", "--method", "partial", "--kwargs", '{"column": "x"}', "--json"]
        .concat("--organizations", "all"),
    );
    const { task, status, organizations } = JSON.parse(partial.stdout);
    assert.equal(status, "completed");
    assert.deepEqual(
      organizations.map((one: { id: number; result: { sum: number } }) => [one.id, one.result.sum]),
      [[first!.id, 3], [second!.id, 6]],
    );

    const again = await command(["result", String(task), "--organization", second!.name]);
    assert.match(again.stdout, /│ sum +│ 6 +│/);
    const many = join(folder, "many");
    assert.equal((await command(["result", String(task), "--out", many])).code, 0);
    assert.equal((await Array.fromAsync(Deno.readDir(many))).length, 2);

    const repeated = await command([
      "repeat",
      String(task),
      "--kwargs",
      '{"column": "y"}',
      "--json",
    ]);
    const found = JSON.parse(repeated.stdout);
    assert.notEqual(found.task, task);
    assert.deepEqual(
      found.organizations.map((one: { result: { sum: number } }) => one.result.sum),
      [6, 6],
    );
    const tasks = JSON.parse((await command(["tasks", "--json", "--number", "2"])).stdout);
    assert.deepEqual(tasks.map(({ id }: { id: number }) => id), [found.task, task]);
  });
});

Deno.test("what the algorithm does not take is refused before anything is posted", async () => {
  const { plain } = await place();
  await withFolder(plain, async (command) => {
    const count = async () => (await plain.researcher.get("/task")).data.length;
    const before = await count();
    const cases: [string[], RegExp][] = [
      [["compare_means", "--kwargs", "{}"], /The argument "column" is missing/],
      [["compare_means", "--kwargs", '{"colum": "x"}'], /has no argument "colum"/],
      [["compare_means", "--kwargs", '{"column": 3}'], /must be the name of a column/],
      [["compare_means@1.0.0", "--where", "x > 1", "--kwargs", '{"where": "x"}'], /given twice/],
      [["average", "--method", "centrall"], /Did you mean "central"\?/],
      [["averag"], /Did you mean "average"\?/],
      [["average", "--kwargs", "[1]"], /--kwargs must be a JSON object/],
      [["average", "--kwargs", '{"column": 12345678901234567890123}'], /more digits/],
      [["slow", "--method", "now"], /who is to compute/],
      [["average", "--organizations", "Nobody", "--kwargs", '{"column": "x"}'], /no organization/],
      [["slow", "--frobnicate"], /frobnicate/],
      [[], /the algorithm/],
    ];
    for (const [args, expected] of cases) {
      const { code, stderr } = await command(["run", ...args]);
      assert.equal(code, 2, `${args}: ${stderr}`);
      assert.match(stderr, expected);
      assert.match(stderr, /deno task client run --help explains/);
    }
    assert.equal(await count(), before);
  });
});

Deno.test("a part that fails is named with its reason, and the exit code says so", async () => {
  const { plain } = await place();
  await withFolder(plain, async (command) => {
    const run = await command(
      ["run", "deno:slow@1.0.0", "--method", "fail", "--organizations", plain.members[0]!.name],
    );
    assert.equal(run.code, 1, run.stderr);
    assert.equal(run.stdout, "");
    assert.match(run.stderr, /crashed\n.*This algorithm fails on purpose/s);
    const missing = await command(["result", "2000000000"]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /no task 2000000000/);
  });
});

Deno.test("Ctrl-C leaves the task running and says how to come back, and coming back works", async () => {
  const { plain } = await place();
  await withFolder(plain, async (command, folder) => {
    const running = startCommand([
      "run",
      "deno:slow@1.0.0",
      "--method",
      "wait",
      "--kwargs",
      '{"ms": 600000}',
      "--organizations",
      plain.members[0]!.name,
    ], { folder });
    await waitFor(() => /: active/.test(running.said()), {
      what: "the task to be active",
      timeout: 30_000,
    });
    running.signal("SIGINT");
    assert.equal(await running.ended, 130, running.said());
    const [, id] = /deno task client watch (\d+)/.exec(running.said())!;
    assert.match(running.said(), /goes on at the hub/);
    assert.equal((await plain.researcher.get(`/task/${id}/status`)).status, "active");

    const watching = startCommand(["watch", id!, "--json"], { folder });
    const logs = startCommand(["logs", id!, "-f"], { folder });
    await waitFor(() => /\| .*waiting/.test(logs.printed()), { what: "the log", timeout: 30_000 });
    await waitFor(() => watching.printed().includes('"active"'), { what: "the first change" });
    assert.equal((await command(["kill", id!])).code, 0);
    assert.equal(await watching.ended, 1, watching.said());
    assert.equal(await logs.ended, 0, logs.said());
    const changes = watching.printed().trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(changes.at(-1).status, "killed by user");
  });
});

Deno.test("an encrypted collaboration asks for the key, opens with it, and takes no key that everybody can read", async () => {
  const { secret, keyFile } = await place();
  await withFolder(secret, async (command, folder) => {
    const run = ["run", "average", "--kwargs", '{"column": "x"}'];
    const without = await command(run);
    assert.equal(without.code, 5, without.stderr);
    assert.match(without.stderr, /--key FILE/);

    const loose = join(folder, "loose.pem");
    await Deno.copyFile(keyFile, loose);
    await Deno.chmod(loose, 0o644);
    const open = await command([...run, "--key", loose]);
    assert.equal(open.code, 5);
    assert.match(open.stderr, /Everybody on this machine can read/);

    await Deno.chmod(loose, 0o600);
    const { code, stdout, stderr } = await command([...run, "--json"], {
      env: { SEXTANT_KEY: loose },
    });
    assert.equal(code, 0, stderr);
    const { task, organizations } = JSON.parse(stdout);
    assert.equal(organizations[0].result.average, 3);
    assert.equal((await command(["repeat", String(task), "--key", loose])).code, 0);

    // Another key than the one that was seen: nothing is posted until it is accepted.
    const seen = join(folder, "keys", "here.json");
    const keys = JSON.parse(await Deno.readTextFile(seen));
    const { id } = secret.members[0]!;
    await Deno.writeTextFile(seen, JSON.stringify({ ...keys, [id]: `sha256:${"0".repeat(64)}` }));
    const changed = await command([...run, "--key", loose]);
    assert.equal(changed.code, 5, changed.stderr);
    const [, accept] = /deno task client (accept-key \d+ sha256:\w+)/.exec(changed.stderr)!;
    assert.equal((await command(accept!.split(" "))).code, 0);
    assert.equal((await command([...run, "--key", loose])).code, 0);
  });
});

Deno.test("every command explains itself, with an example, and what is mistyped is named", async () => {
  await withFolder(undefined, async (command) => {
    const help = await command(["--help"]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Exit codes:\n(.*\n)* +130/);
    const names = [...help.stdout.matchAll(/^ {2}([a-z-]+) {2,}[a-z]/gm)].map(([, name]) => name!)
      .filter((name) => name !== "deno");
    assert.ok(names.length >= 14, names.join());
    const helps = await Promise.all(names.map((name) => command([name, "--help"])));
    for (const [at, { code, stdout }] of helps.entries()) {
      assert.equal(code, 0);
      assert.match(
        stdout,
        new RegExp(`\\nExamples:\\n(  .*\\n)*  .*deno task client ${names[at]}\\b`),
      );
      assert.ok(stdout.includes("--json"), names[at]);
    }
    const { code, stderr } = await command(["resutl"]);
    assert.equal(code, 2);
    assert.match(stderr, /Did you mean "result"\?/);
  });
});

Deno.test("the README's steps to a first result are what a researcher types", async () => {
  const { plain } = await place();
  const { username, password } = plain.login;
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const [, steps] = /^```sh\n(deno task client login.*?)^```$/ms.exec(readme)!;
  const lines = steps!.trim().split("\n").map((line) =>
    line.replace("http://127.0.0.1:7601", stack().gatewayUrl).replace("alice", username)
      .replace('"age"', '"x"').replace(/ +#.*$/, "").replace("deno task client ", "")
  );
  assert.equal(lines.length, 3);
  await withFolder(undefined, async (command) => {
    const printed = [];
    for (const line of lines) {
      const args = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) =>
        quoted ?? bare!
      );
      const { code, stdout, stderr } = await command(args, { env: { SEXTANT_PASSWORD: password } });
      assert.equal(code, 0, `${line}\n${stderr}`);
      printed.push(stdout);
    }
    assert.match(printed[1]!, /deno:average@1\.0\.0/);
    assert.match(printed[2]!, /│ average +│ 3 +│/);
  });
});
