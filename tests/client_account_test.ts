/**
 * The client and the command line where accounts matter: a second factor, tokens that end by the
 * hub's clock, passwords typed at a terminal, and names that were made to do harm there.
 * @module
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  ApiError,
  createClient,
  createMemoryStore,
  ForbiddenError,
  LoggedOutError,
  LogInRefusedError,
} from "../services/client/mod.ts";
import { temporaryFolder, waitFor } from "./harness.ts";
import { runCommand } from "./support/client_command.ts";
import { codeOf, PASSWORD, useTestHub } from "./support/hub.ts";

const hub = useTestHub({ twoFactor: true });
const url = () => `http://${hub().address.hostname}:${hub().address.port}`;
/** A token of the administrator that is good by the hub's clock, which tests move. */
const root = () => hub().signIn({ type: "user", id: 1 });
let serial = 0;

async function newUser(): Promise<string> {
  const username = `walker${++serial}`;
  const { status } = await hub().call("POST", "/user", {
    token: await root(),
    body: {
      username,
      password: PASSWORD,
      email: `${username}@x.example`,
      firstname: "F",
      lastname: "L",
      roles: [4],
    },
  });
  assert.equal(status, 201);
  return username;
}

/** Somebody who has set up their second factor; gives its secret. */
async function enrolled(): Promise<{ username: string; secret: string }> {
  const username = await newUser();
  const body = { username, password: PASSWORD };
  const { otp_secret } = (await hub().call("POST", "/token/user", { body })).body;
  return { username, secret: otp_secret };
}

Deno.test("a log-in says what it needs: to set up a second factor, then its code", async () => {
  const username = await newUser();
  const client = createClient({ url: url() });
  const first = await client.logIn({ username, password: PASSWORD });
  assert.ok(first.needs === "set-up");
  assert.match(first.qrUri, /^otpauth:\/\/totp\//);
  await assert.rejects(client.account.whoAmI(), /Log in first/);
  const second = await client.logIn({ username, password: PASSWORD });
  assert.equal(second.needs, "code");
  await assert.rejects(
    client.logIn({ username, password: PASSWORD, code: "abcdef" }),
    (error: unknown) => error instanceof LogInRefusedError,
  );
  const code = codeOf(first.secret, hub().now());
  assert.equal((await client.logIn({ username, password: PASSWORD, code })).needs, undefined);
  assert.equal((await client.account.whoAmI()).username, username);
});

Deno.test("an access token that ends is renewed, a session that ends is over, what is refused is not", async () => {
  const { username, secret } = await enrolled();
  const session = createMemoryStore();
  const client = createClient({ url: url(), session });
  await client.logIn({ username, password: PASSWORD, code: codeOf(secret, hub().now()) });
  const before = (await session.load())!;
  hub().advance(6 * 3600 + 1);
  assert.equal((await client.account.whoAmI()).username, username);
  assert.notEqual((await session.load())!.access_token, before.access_token);
  await assert.rejects(
    client.organizations.create({ name: "Not mine to make" }),
    (error: unknown) => error instanceof ForbiddenError && error.status === 401,
  );
  assert.ok(await session.load(), "still logged in");
  await assert.rejects(
    client.account.changePassword({ current_password: PASSWORD, new_password: "short" }),
    (error: unknown) =>
      error instanceof ApiError && error.errors.new_password!.length > 1 &&
      error.requestId !== undefined && error.code === "invalid_request",
  );
  hub().advance(48 * 3600 + 1);
  await assert.rejects(client.account.whoAmI(), LoggedOutError);
  assert.equal(await session.load(), undefined);
});

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await work(folder.path);
  } finally {
    await folder.remove();
  }
}

Deno.test("the command line takes the code of a second factor from the environment or standard input", async () => {
  const username = await newUser();
  await inFolder(async (folder) => {
    const login = ["login", url(), "--username", username];
    const env = { SEXTANT_PASSWORD: PASSWORD };
    const first = await runCommand(login, { folder, env });
    assert.equal(first.code, 2);
    const [, secret] = /secret: ([A-Z2-7]{32})/.exec(first.stderr)!;
    assert.match(first.stderr, /SEXTANT_CODE/);
    const code = () => codeOf(secret!, hub().now());
    const wrong = await runCommand(login, { folder, env: { ...env, SEXTANT_CODE: "abcdef" } });
    assert.equal(wrong.code, 3, wrong.stderr);
    const byEnvironment = await runCommand(login, {
      folder,
      env: { ...env, SEXTANT_CODE: code() },
    });
    assert.equal(byEnvironment.code, 0, byEnvironment.stderr);
    const input = `${PASSWORD}\n${code()}\n`;
    const byInput = await runCommand([...login, "--stdin"], { folder, input });
    assert.equal(byInput.code, 0, byInput.stderr);
  });
});

Deno.test("at a terminal the password is asked for and not shown, and then the code", async () => {
  const { username, secret } = await enrolled();
  await inFolder(async (folder) => {
    const { PATH = "", HOME = "", DENO_DIR } = Deno.env.toObject();
    const main = "services/client/command_line/main.ts";
    const command = [Deno.execPath(), "run", "--quiet", "-A", main, "login", url()]
      .map((one) => `'${one}'`).join(" ");
    const child = new Deno.Command("script", {
      args: ["--quiet", "--flush", "--return", "--command", command, "/dev/null"],
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      clearEnv: true,
      env: {
        PATH,
        HOME,
        TERM: "xterm",
        SEXTANT_CLIENT_FOLDER: folder,
        ...(DENO_DIR ? { DENO_DIR } : {}),
      },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    let screen = "";
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const piece of child.stdout) screen += decoder.decode(piece, { stream: true });
    })();
    const type = async (question: RegExp, answer: string) => {
      await waitFor(() => question.test(screen), { what: String(question), timeout: 30_000 });
      await writer.write(new TextEncoder().encode(`${answer}\r`));
    };
    await type(/User name: $/, username);
    await type(/Password of walker\d+ at .*: $/, `${PASSWORD}x\x7f`);
    await type(/Code of your second factor: $/, codeOf(secret, hub().now()));
    const { code } = await child.status;
    await writer.close().catch(() => {});
    await reading;
    assert.equal(code, 0, screen);
    assert.match(screen, new RegExp(`Logged in as ${username}`));
    assert.ok(!screen.includes(PASSWORD), screen);
  });
});

/** What a terminal would obey or turn around, besides the ends of lines. */
// deno-lint-ignore no-control-regex -- that is what is looked for
const OBEYED = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

Deno.test("names that were made to do harm at a terminal do none, in tables, JSON and errors", async () => {
  const hostile = "Clinic \x1b]0;mine\x07\x1b[2J \u202egnp.exe\u2066 \x9b31m";
  const { username, secret } = await enrolled();
  const { id: userId } = (await hub().call("GET", `/user?username=${username}`, {
    token: await root(),
  })).body.data[0];
  await hub().call("PATCH", `/user/${userId}`, { token: await root(), body: { roles: [1] } });
  await hub().call("POST", "/collaboration", {
    token: await root(),
    body: { name: hostile, organization_ids: [1], encrypted: false },
  });
  await inFolder(async (folder) => {
    const env = { SEXTANT_PASSWORD: PASSWORD, SEXTANT_CODE: codeOf(secret, hub().now()) };
    const login = await runCommand(["login", url(), "--username", username], { folder, env });
    assert.equal(login.code, 0, login.stderr);
    const cases: [string[], number][] = [
      [["collaborations"], 0],
      [["collaborations", "--json"], 0],
      [["nodes", "--collaboration", "no such"], 2],
    ];
    for (const [args, expected] of cases) {
      const { code, stdout, stderr } = await runCommand(args, { folder });
      assert.equal(code, expected, stderr);
      assert.match(stdout + stderr, /Clinic/, "it is shown");
      assert.doesNotMatch(stdout + stderr, OBEYED);
    }
    const { stdout } = await runCommand(["collaborations", "--json"], { folder });
    const names = JSON.parse(stdout).map(({ name }: { name: string }) => name);
    assert.ok(names.includes(hostile), "as it is, for programs");
  });
});

Deno.test("a wrong current password counts once, and does not end the log-in", async () => {
  const { username, secret } = await enrolled();
  const client = createClient({ url: url() });
  await client.logIn({ username, password: PASSWORD, code: codeOf(secret, hub().now()) });
  const { user_id } = await client.account.whoAmI();
  const wrong = { current_password: "Wrong-password-1", new_password: "Other-password-1" };
  await assert.rejects(client.account.changePassword(wrong), LogInRefusedError);
  await assert.rejects(
    client.users.change(user_id, { email: "new@x.example", current_password: "Wrong-password-1" }),
    LogInRefusedError,
  );
  const lost = { username, password: "Wrong-password-1" };
  await assert.rejects(client.account.lostSecondFactor(lost), LogInRefusedError);
  const [row] = await hub().db.identity`
    select failed_login_attempts from "user" where id = ${user_id}`;
  assert.equal(row!.failed_login_attempts, 3);
  assert.equal((await client.account.whoAmI()).username, username);
});

Deno.test("the client lists one's log-ins, and ends others", async () => {
  const { username, secret } = await enrolled();
  const clients = [createClient({ url: url() }), createClient({ url: url() })] as const;
  for (const client of clients) {
    await client.logIn({ username, password: PASSWORD, code: codeOf(secret, hub().now()) });
    hub().advance(30); // a code is good once
  }
  const [here, there] = clients;
  const list = await here.logIns.list();
  assert.equal(list.length, 2);
  await here.logIns.end(list.find((one) => !one.is_this)!.id);
  await hub().settled();
  await assert.rejects(there.account.whoAmI(), LoggedOutError);
  await here.logIns.endOthers();
  assert.deepEqual((await here.logIns.list()).map((one) => one.is_this), [true]);
});
