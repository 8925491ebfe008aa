/**
 * The typed client against a real hub: on Deno and on Node.js, plain and encrypted, and when
 * something happens in between.
 * @module
 */
import assert from "node:assert/strict";
import { newPrivateKey, readPublicKey } from "../services/node/encryption/keys.ts";
import { createSeal, sealText } from "../services/node/encryption/sealed.ts";
import { beginsSigned } from "../shared/payload/form.ts";
import { parsePythonJson } from "../shared/payload/python_json.ts";
import {
  createClient,
  createMemoryKeyStore,
  createMemoryStore,
  type FeedEvent,
  ForbiddenError,
  KeyChangedError,
  LoggedOutError,
  NotFoundError,
  readOrganizationKey,
} from "../services/client/mod.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Site } from "./site.ts";
import { bundleForBrowsers } from "./support/bundle.ts";
import { type Walk, walk } from "./support/client_walk.ts";

const stack = useTestStack();
const DATA = ["x,y\n1,2\n2,4\n", "x,y\n6,6\n"];

let made: Promise<{ plain: Site; secret: Site; key: string }> | undefined;

/** One plain and one encrypted collaboration for all tests, with their nodes running. */
function sites() {
  return made ??= makeSites();
}

async function makeSites() {
  const keys = await Promise.all(DATA.map(() => newPrivateKey(2048)));
  const files = await Promise.all(keys.map(async (key) => {
    const path = await Deno.makeTempFile({ dir: stack().folder, suffix: ".pem" });
    await Deno.writeTextFile(path, key);
    return path;
  }));
  const plain = await createSite(stack(), { data: DATA });
  const secret = await createSite(stack(), {
    data: DATA,
    encrypted: true,
    node: (index) => ({ encryption: { enabled: true, private_key: files[index] } }),
  });
  for (const site of [plain, secret]) {
    for (const member of site.members) await site.startNode(member);
  }
  return { plain, secret, key: keys[0]! };
}

function walkOf({ login, collaborationId, members }: Site, key?: string): Walk {
  const organizations = members.map(({ id }) => id);
  return { url: stack().gatewayUrl, login, collaborationId, organizations, key };
}

async function clientOf(
  { login }: Site,
  options: Partial<Parameters<typeof createClient>[0]> = {},
) {
  const client = createClient({ url: stack().gatewayUrl, ...options });
  await client.logIn(login);
  return client;
}

function assertWalked(found: Awaited<ReturnType<typeof walk>>, site: Site) {
  const [first, second] = site.members;
  assert.equal(found.needs, null);
  assert.equal(found.who, site.login.username);
  assert.equal(found.organizations, 2);
  assert.deepEqual(found.nodes, ["online", "online"]);
  const [central] = found.central as { average: number }[];
  assert.equal(central!.average, 3);
  assert.deepEqual(found.partial, [
    [first!.id, { sum: 3, count: 2, missing: 0 }],
    [second!.id, { sum: 6, count: 1, missing: 0 }],
  ]);
  const [[status, reason]] = found.failed as [[string, string]];
  assert.equal(status, "crashed");
  assert.match(reason, /This algorithm fails on purpose/);
  assert.equal(found.good, 0);
  assert.deepEqual(found.again, found.central);
  assert.equal(found.killed, "killed by user");
  assert.equal(found.named, true);
  assert.equal(found.missing, "NotFoundError");
  assert.equal(found.refused, "ForbiddenError");
  assert.equal(found.loggedOut, "LoggedOutError");
}

Deno.test("the client walks from log-in to results, in a plain collaboration and in an encrypted one", async () => {
  const { plain, secret, key } = await sites();
  assertWalked(await walk(walkOf(plain)), plain);
  assertWalked(await walk(walkOf(secret, key)), secret);
});

Deno.test("the same walk under Node.js, in a script that needs nothing but web standards", async () => {
  const { plain, secret, key } = await sites();
  const script = await bundleForBrowsers(`
    import { walk } from "./client_walk.ts";
    const given = JSON.parse(await new Response(process.stdin).text());
    console.log(JSON.stringify(await walk(given)));
  `);
  const file = await Deno.makeTempFile({ dir: stack().folder, suffix: ".mjs" });
  await Deno.writeTextFile(file, script);
  for (const [site, pem] of [[plain, undefined], [secret, key]] as const) {
    const node = new Deno.Command("node", {
      args: [file],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = node.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(walkOf(site, pem))));
    await writer.close();
    const { success, stdout, stderr } = await node.output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assertWalked(JSON.parse(new TextDecoder().decode(stdout)), site);
  }
});

/** Long and short whole numbers, others, and digits in texts; in JSON and in Python's. */
const NUMBERS = [
  '{"a":12345678901234567890,"b":[-9007199254740993,9007199254740992,7],"c":"12345678901234567890"}',
  "[0.12345678901234567890,1.2e+3,12345678901234567890.5,123456789012345678e2,1e400]",
  '{"a":NaN,"b":-Infinity,"c":12345678901234567890}',
];

/** What these are read as, with the numbers that are exact beyond doubt. */
function readNumbers(parse: typeof parsePythonJson): string[] {
  return NUMBERS.map((text) => {
    const { value, isExact, isJson } = parse(text);
    return JSON.stringify(
      [value, isExact, isJson],
      (_, one) => typeof one === "bigint" ? `${one}n` : typeof one === "number" ? String(one) : one,
    );
  });
}

Deno.test("numbers in results are the same under Node.js, which does not tell how they were written", async () => {
  const script = await bundleForBrowsers(`
    import { parsePythonJson } from "../../shared/payload/python_json.ts";
    const NUMBERS = ${JSON.stringify(NUMBERS)};
    ${readNumbers.toString()}
    console.log(JSON.stringify(readNumbers(parsePythonJson)));
  `);
  const file = await Deno.makeTempFile({ dir: stack().folder, suffix: ".mjs" });
  await Deno.writeTextFile(file, script);
  const { success, stdout, stderr } = await new Deno.Command("node", { args: [file] }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const found = JSON.parse(new TextDecoder().decode(stdout));
  assert.deepEqual(found, readNumbers(parsePythonJson));
  assert.match(found[0]!, /12345678901234567890n.*-9007199254740993n.*"9007199254740992"/);
});

Deno.test("many calls that find the access token over renew it once", async () => {
  const { plain } = await sites();
  const refreshes: string[] = [];
  const counting: typeof fetch = (input, init) => {
    if (String(input).endsWith("/token/refresh")) refreshes.push(String(init?.method));
    return fetch(input, init);
  };
  const kept = createMemoryStore();
  await clientOf(plain, { session: kept });
  const { refresh_token } = (await kept.load())!;
  // One that says of itself that it is over, and one that only the hub knows to be none.
  const over = `e30.${btoa(JSON.stringify({ exp: 1_000_000_000 }))}.AA`;
  for (const access_token of [over, "no token at all"]) {
    const session = createMemoryStore({ access_token, refresh_token });
    const client = createClient({ url: stack().gatewayUrl, session, fetch: counting });
    refreshes.length = 0;
    const names = await Promise.all(
      Array.from({ length: 20 }, async () => (await client.account.whoAmI()).username),
    );
    assert.deepEqual(new Set(names), new Set([plain.login.username]));
    assert.deepEqual(refreshes, ["POST"]);
    assert.notEqual((await session.load())!.access_token, access_token);
  }
});

Deno.test("a session that ends elsewhere ends here, with the hub's own words, and is forgotten", async () => {
  const { plain } = await sites();
  const session = createMemoryStore();
  const client = await clientOf(plain, { session });
  const tokens = (await session.load())!;
  const elsewhere = createClient({ url: stack().gatewayUrl, session: createMemoryStore(tokens) });
  await elsewhere.logOut();
  await assert.rejects(client.account.whoAmI(), (error: unknown) => {
    assert.ok(error instanceof LoggedOutError);
    assert.match(error.message, /This log-in has ended; log in again/);
    return true;
  });
  assert.equal(await session.load(), undefined);
  await assert.rejects(client.tasks.get(1), /Log in first/);
  await client.logOut();
});

Deno.test("a hub that is away ends no session", async () => {
  const { plain } = await sites();
  const session = createMemoryStore();
  await clientOf(plain, { session });
  const { refresh_token } = (await session.load())!;
  const broken: typeof fetch = (input, init) =>
    String(input).endsWith("/token/refresh")
      ? Promise.resolve(Response.json({ msg: "in a moment" }, { status: 503 }))
      : fetch(input, init);
  const given = createMemoryStore({ access_token: "over", refresh_token });
  const client = createClient({ url: stack().gatewayUrl, session: given, fetch: broken, tries: 2 });
  await assert.rejects(client.account.whoAmI(), /in a moment/);
  assert.equal((await given.load())!.refresh_token, refresh_token);
});

Deno.test("a stranger sees nothing of a collaboration: refused or not found, and by name", async () => {
  const { plain } = await sites();
  const other = await createSite(stack(), { data: ["x\n1\n"] });
  const stranger = await clientOf(other);
  const { id } = await plain.post({ image: "deno:slow@1.0.0", method: "now" });
  for (
    const act of [
      () => stranger.tasks.get(id),
      () => stranger.results.of(id),
      () => stranger.collaborations.get(plain.collaborationId),
      () => stranger.nodes.get(plain.members[0]!.nodeId),
      () =>
        stranger.post({
          image: "deno:slow@1.0.0",
          collaboration: plain.collaborationId,
          organizations: [plain.members[0]!.id],
          input: { method: "now" },
        }),
    ]
  ) {
    await assert.rejects(act, (error: unknown) => {
      assert.ok(error instanceof ForbiddenError || error instanceof NotFoundError, String(error));
      return true;
    });
  }
  assert.deepEqual(
    await stranger.tasks.list({ collaboration_id: other.collaborationId }).all(),
    [],
  );
  assert.equal((await stranger.account.whoAmI()).username, other.login.username, "still logged in");
});

/** The platform's fetch, but for the live feed, whose connection breaks after each event. */
function cutFeed(cuts: { count: number }): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!String(input).includes("/api/events") || !response.body) return response;
    const reader = response.body.getReader();
    let pieces = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        if (++pieces <= 2) return controller.enqueue(value);
        cuts.count++;
        await reader.cancel();
        controller.error(new TypeError("the cable was cut"));
      },
      cancel: () => reader.cancel(),
    });
    return new Response(body, response);
  };
}

Deno.test("the feed goes on where it was cut: nothing is missed and nothing comes twice", async () => {
  const { plain } = await sites();
  const cuts = { count: 0 };
  const client = await clientOf(plain, { fetch: cutFeed(cuts) });
  const stop = new AbortController();
  const seen: FeedEvent[] = [];
  const begun = Promise.withResolvers<void>();
  const watching = (async () => {
    for await (const event of client.events({ signal: stop.signal })) {
      if (event.name === "feed.begun") begun.resolve();
      else seen.push(event);
    }
  })();
  await begun.promise;
  const tasks: number[] = [];
  // How much comes in one piece, and so how often the feed is cut, is the network's to say.
  while (cuts.count < 3) {
    assert.ok(tasks.length < 50, `${cuts.count} cuts`);
    const { id } = await plain.post({ image: "deno:slow@1.0.0", method: "now" });
    tasks.push(id);
    assert.equal(await client.follow(id), "completed");
  }
  const statuses = (id: number) =>
    seen.flatMap((event) =>
      event.name === "result.status" && event.data.task_id === id ? [event.data.status] : []
    );
  await waitFor(() => tasks.every((id) => statuses(id).includes("completed")), {
    what: "all ends to be told",
  });
  stop.abort();
  await watching;
  for (const id of tasks) {
    assert.equal(statuses(id).filter((status) => status === "completed").length, 1);
    assert.ok(seen.some((event) => event.name === "task.created" && event.data.task_id === id));
  }
  assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length);
});

Deno.test("a task whose answer was lost on the way is posted once", async () => {
  const { plain } = await sites();
  let lost = 0;
  const losing: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (!String(input).endsWith("/api/task") || init?.method !== "POST" || lost > 1) {
      return response;
    }
    lost++;
    await response.body?.cancel();
    throw new TypeError("the answer was lost");
  };
  const client = await clientOf(plain, { fetch: losing });
  const name = crypto.randomUUID();
  await client.post({
    name,
    image: "deno:slow@1.0.0",
    collaboration: plain.collaborationId,
    organizations: [plain.members[0]!.id],
    input: { method: "now" },
  });
  assert.equal(lost, 2);
  assert.equal((await client.tasks.list({ name }).all()).length, 1);
});

Deno.test("for a key that is another than before nothing is encrypted, until it is accepted", async () => {
  const { secret, key: pem } = await sites();
  const [own, other] = secret.members;
  const key = await readOrganizationKey(pem);
  const keys = createMemoryKeyStore();
  const before = `sha256:${"0".repeat(64)}`;
  await keys.set(other!.id, before);
  const told: KeyChangedError[] = [];
  const client = await clientOf(secret, { keys, onKeyChange: (change) => void told.push(change) });
  const name = crypto.randomUUID();
  const task = {
    name,
    image: "deno:average@1.0.0",
    collaboration: secret.collaborationId,
    organizations: [own!.id, other!.id],
    input: { method: "partial", kwargs: { column: "x" } },
  };
  await assert.rejects(client.run(task, { key }), (error: unknown) => {
    assert.ok(error instanceof KeyChangedError);
    assert.equal(error.organization.id, other!.id);
    assert.equal(error.before, before);
    return true;
  });
  await client.organizations.get(other!.id);
  assert.equal(told.length, 1, "once");
  assert.deepEqual(await client.tasks.list({ name }).all(), []);
  await client.keys.accept(other!.id, told[0]!.now);
  const { failed } = await client.run(task, { key });
  assert.deepEqual(failed, []);
});

Deno.test("without the organization's key, or with another's, nothing is posted that could not be opened", async () => {
  const { secret } = await sites();
  const client = await clientOf(secret);
  const name = crypto.randomUUID();
  const task = {
    name,
    image: "deno:average@1.0.0",
    collaboration: secret.collaborationId,
    organizations: [secret.members[0]!.id],
    input: { method: "partial", kwargs: { column: "x" } },
  };
  await assert.rejects(client.run(task), /give the private key of your organization/);
  const foreign = await readOrganizationKey(await newPrivateKey(2048));
  await assert.rejects(client.run(task, { key: foreign }), /This is not the key of organization/);
  assert.deepEqual(await client.tasks.list({ name }).all(), []);
});

Deno.test("in an encrypted collaboration inputs are signed, nodes answer signed, and nothing else is taken", async () => {
  const { secret, key: pem } = await sites();
  const [own] = secret.members;
  const key = await readOrganizationKey(pem);
  const task = {
    image: "deno:average@1.0.0",
    collaboration: secret.collaborationId,
    organizations: [own!.id],
    input: { method: "partial", kwargs: { column: "x" } },
  };
  let forged: string | undefined;
  // A hub that puts its own result in place of the node's: anybody can encrypt in v6's format.
  const lying: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (forged === undefined || !String(input).includes("/api/result?")) return response;
    const answer = await response.json();
    for (const one of answer.data) one.result = forged;
    return Response.json(answer);
  };
  const client = await clientOf(secret, { fetch: lying });
  const { taskId, outcomes } = await client.run(task, { key, signed: "always" });
  assert.deepEqual(outcomes.map(({ result }) => result?.value), [{ sum: 3, count: 2, missing: 0 }]);
  const [run] = await client.runs.list({ task_id: taskId }).all();
  const [result] = await client.storedResults.list({ task_id: taskId }).all();
  assert.ok(beginsSigned(run!.input!) && beginsSigned(result!.result!));

  const { taskId: later } = await client.run(task, { key });
  forged = result!.result!;
  const [replayed] = await client.results.of(later, { key });
  assert.match(replayed!.reason!, /answers another input than the one that was sent/);
  forged = sealText(
    new TextEncoder().encode('{"sum": 1, "count": 1}'),
    createSeal(readPublicKey(key.publicKey)),
  );
  const [invented] = await client.results.of(later, { key });
  assert.match(invented!.reason!, /it is not signed, and what it answers to was/);

  const { secret: _, plain } = await sites();
  await assert.rejects(
    (await clientOf(plain)).post({ ...task, collaboration: plain.collaborationId }, {
      signed: "always",
    }),
    /cannot be signed: its collaboration is not encrypted/,
  );
});

Deno.test("results of subtasks, which nodes sign, are opened by whoever they are for", async () => {
  const { secret, key: pem } = await sites();
  const client = await clientOf(secret);
  const key = await readOrganizationKey(pem);
  const { taskId } = await client.run({
    image: "deno:average@1.0.0",
    collaboration: secret.collaborationId,
    organizations: [secret.members[0]!.id],
    input: { method: "central", kwargs: { column: "x" } },
  }, { key });
  const child = (await client.tasks.list({ parent_id: taskId }).first())!;
  const outcomes = await client.results.of(child.id, { key });
  assert.deepEqual(outcomes.map(({ result }) => result?.value), [
    { sum: 3, count: 2, missing: 0 },
    { sum: 6, count: 1, missing: 0 },
  ]);
  const foreign = await readOrganizationKey(await newPrivateKey(2048));
  for (const { reason } of await client.results.of(child.id, { key: foreign })) {
    assert.match(reason!, /cannot be opened: it was damaged, or encrypted for another key/);
  }
});

/** The platform's fetch, but for the first download of each blob, which breaks in the middle. */
function cutDownloads(cuts: { count: number }): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const range = new Headers(init?.headers).get("range");
    if (!/\/blobstream\/[0-9a-f-]{36}$/.test(String(input)) || range) return response;
    const reader = response.body!.getReader();
    let size = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        size += value.length;
        if (size < 1_000_000) return controller.enqueue(value);
        cuts.count++;
        await reader.cancel();
        controller.error(new TypeError("the cable was cut"));
      },
    });
    return new Response(body, response);
  };
}

Deno.test("large inputs and results go by themselves, encrypted or not, and go on where they were cut", async () => {
  const { plain, secret, key: pem } = await sites();
  const key = await readOrganizationKey(pem);
  for (const [site, given] of [[plain, undefined], [secret, key]] as const) {
    const cuts = { count: 0 };
    const client = await clientOf(site, { fetch: cutDownloads(cuts) });
    const length = 3_000_000;
    const { outcomes: [outcome] } = await client.run({
      image: "deno:slow@1.0.0",
      collaboration: site.collaborationId,
      organizations: [site.members[0]!.id],
      input: { method: "text", kwargs: { length, ballast: "y".repeat(2_000_000) } },
    }, { key: given });
    assert.equal(outcome!.result!.text.length, length + 2);
    assert.equal(cuts.count, 1);
    const run = await client.runs.get(outcome!.id);
    assert.equal(run.blob_storage_used, true);
    let input = 0;
    for await (const piece of await client.results.openInput(run.id, { key: given })) {
      input += piece.length;
    }
    assert.ok(input > 2_000_000);
  }
});
