/**
 * Who gets into the owner's page, and who does not: against a real agent, without a browser.
 * Cookies and `Host` are set by hand, which `fetch` does not let one do.
 * @module
 */
import assert from "node:assert/strict";
import { request } from "node:http";
import { userInfo } from "node:os";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "../../../tests/harness.ts";
import { decodePayload } from "../../../tests/support/decode_payload.ts";
import { withOwnerSite } from "../../../tests/support/owner_site.ts";
import { readStatus } from "../record/agent_status.ts";
import { silentLogger } from "../../../shared/service/log.ts";
import { createCompiler } from "./compile.ts";
import { heldList, overview, SESSION_HEADER } from "./contract.ts";
import { runPage } from "./page_command.ts";
import { Refusal } from "./refusal.ts";

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

interface Asked {
  headers?: Record<string, string>;
  body?: unknown;
}

/** Asks as any program of this machine can. */
function send(address: string, path: string, { headers = {}, body }: Asked = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asking = request(new URL(path, address), {
    method: body === undefined ? "GET" : "POST",
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
  }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (piece) => text += piece);
    response.on(
      "end",
      () => resolve({ status: response.statusCode!, headers: response.headers, text }),
    );
  });
  asking.on("error", reject);
  asking.end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

const FROM_PAGE = { [SESSION_HEADER]: "none", "sec-fetch-site": "same-origin" };

function enter(address: string, link: string, headers: Record<string, string> = {}) {
  const key = link.split("#key=")[1];
  return send(address, "/api/enter", { headers: { ...FROM_PAGE, ...headers }, body: { key } });
}

/** The headers of who is in. */
async function inside(address: string, link: string): Promise<Record<string, string>> {
  const { status, headers, text } = await enter(address, link);
  assert.equal(status, 200, text);
  const cookie = headers["set-cookie"]![0]!;
  return {
    ...FROM_PAGE,
    cookie: cookie.split(";")[0]!,
    [SESSION_HEADER]: JSON.parse(text).session,
  };
}

Deno.test("a link lets in once, and what is asked needs both halves of the session from this very page", async () => {
  await withOwnerSite(async ({ address, link, dataFolder }) => {
    const { port } = new URL(address);
    const first = await link();
    assert.equal((await send(address, "/api/overview", { headers: FROM_PAGE })).status, 401);

    // Whatever is wrong with how it comes, the link is not used up by it.
    const wrongWays: [Record<string, string>, number][] = [
      [{ host: `evil.example:${port}` }, 421],
      [{ host: `127.0.0.1.evil.example:${port}` }, 421],
      [{ host: "127.0.0.1:1" }, 421],
      [{ "sec-fetch-site": "cross-site" }, 403],
      // Another port of this machine, which browsers take for the same site.
      [{ "sec-fetch-site": "same-site" }, 403],
      [{ "sec-fetch-site": "none" }, 403],
      [{ origin: "http://127.0.0.1:1" }, 403],
      [{ origin: `https://127.0.0.1:${port}` }, 403],
      [{ origin: "null" }, 403],
    ];
    for (const [headers, status] of wrongWays) {
      assert.equal((await enter(address, first, headers)).status, status, JSON.stringify(headers));
    }
    const key = first.split("#key=")[1];
    const bare = await send(address, "/api/enter", { body: { key } });
    assert.equal(bare.status, 403, "without the header that no form can send");

    const { headers } = await enter(address, first);
    const [cookie] = headers["set-cookie"]!;
    assert.match(cookie!, new RegExp(`^sextant_owner_${port}=[\\w-]{43}; Path=/; HttpOnly; SameS`));
    assert.match(cookie!, /SameSite=Strict$/);
    const again = await enter(address, first);
    assert.deepEqual([again.status, again.headers["set-cookie"]], [403, undefined]);
    assert.match(again.text, /used already, or is too old/);

    const halves = await inside(address, await link());
    const ask = (change: Record<string, string> = {}) =>
      send(address, "/api/overview", { headers: { ...halves, ...change } });
    const answer = await ask();
    assert.equal(answer.status, 200);
    assert.equal(overview.parse(JSON.parse(answer.text)).node?.id, 7);
    // What another port of this machine would have of a browser: the cookie alone.
    assert.equal((await ask({ [SESSION_HEADER]: "none" })).status, 401);
    assert.equal((await ask({ cookie: "" })).status, 401);
    for (const [change, status] of wrongWays) {
      assert.equal((await ask(change)).status, status, JSON.stringify(change));
    }
    const audit = await Deno.readTextFile(join(dataFolder, "audit.log"));
    assert.equal(audit.match(/"event":"owner's page entered"/g)?.length, 2);

    assert.equal((await send(address, "/api/leave", { headers: halves, body: {} })).status, 200);
    assert.equal((await ask()).status, 401);
  });
});

Deno.test("the owner's page is on loopback alone, says nothing to who is not in, and is kept by no cache", async () => {
  await withOwnerSite(async ({ address }) => {
    const { port } = new URL(address);
    const elsewhere = Deno.networkInterfaces().find(({ address: own, family }) =>
      family === "IPv4" && !own.startsWith("127.")
    );
    if (elsewhere) {
      await assert.rejects(Deno.connect({ hostname: elsewhere.address, port: Number(port) }));
    }
    const page = await send(address, "/");
    assert.equal(page.status, 200, page.text);
    assert.equal(page.headers["cache-control"], "no-store");
    assert.match(String(page.headers["content-security-policy"]), /default-src 'none'.*frame-anc/);
    assert.equal(page.headers["cross-origin-resource-policy"], "same-origin");
    assert.ok(!/Alpha|deno:|127\.0\.0\.1/.test(page.text));
    const [, script] = /src="(assets\/page-\w+\.js)"/.exec(page.text)!;
    const asset = await send(address, script!);
    assert.deepEqual([asset.status, asset.headers["cache-control"]], [200, "no-store"]);
    assert.equal((await send(address, "/assets/..%2f..%2faudit.log")).status, 404);

    const paths = ["overview", "history", "held", "held/1/1", "databases", "rules", "audit"];
    for (const path of paths) {
      const { status, text } = await send(address, `/api/${path}`, { headers: FROM_PAGE });
      assert.deepEqual([status, Object.keys(JSON.parse(text))], [401, ["msg"]], path);
    }
    const changes = ["held/1/1", "databases/look", "audit/verify", "leave"];
    for (const path of changes) {
      const { status } = await send(address, `/api/${path}`, { headers: FROM_PAGE, body: {} });
      assert.equal(status, 401, path);
    }
  });
});

Deno.test("what the page decides is decided once, with a reason, and only upon what was shown", async () => {
  await withOwnerSite(async ({ address, link, hub, hold, dataFolder }) => {
    const result = await hold();
    const headers = await inside(address, await link());
    const path = `/api/held/${result.id}/1`;
    const listed = await send(address, "/api/held", { headers });
    const [note] = heldList.parse(JSON.parse(listed.text)).held;
    const decide = (body: Record<string, unknown>) =>
      send(address, path, {
        headers,
        body: { is: "release", reason: "fine", sha256: note!.sha256, ...body },
      });
    const wrong: [Record<string, unknown>, number][] = [
      [{ reason: " " }, 400],
      [{ reason: "a\u202eb" }, 400],
      [{ reason: "x".repeat(501) }, 400],
      [{ sha256: "0".repeat(64) }, 409],
      [{ is: "keep" }, 400],
    ];
    for (const [body, status] of wrong) {
      assert.equal((await decide(body)).status, status, JSON.stringify(body));
    }
    assert.equal((await send(address, `${path}?page=2`, { headers })).status, 404);
    assert.equal((await send(address, "/api/held/99/1", { headers })).status, 404);
    assert.equal((await send(address, "/api/held/x/1", { headers })).status, 400);
    assert.equal(result.status, "active");

    const twice = await Promise.all([decide({}), decide({ is: "refuse", reason: "no" })]);
    const done = twice.findIndex(({ status }) => status === 200);
    assert.ok(done >= 0 && [404, 409].includes(twice[1 - done]!.status));
    await hub.final(result);
    if (done === 0) assert.equal(decodePayload(result.result!), 30);
    else assert.match(result.reason!, /^Refused at release: no/);
    const audit = await Deno.readTextFile(join(dataFolder, "audit.log"));
    assert.ok(audit.includes(`"by":"${userInfo().username}, by the page"`));
  });
});

Deno.test("without its page an agent works, and says why it is not there", async () => {
  await withOwnerSite(async ({ address, hold }) => {
    const { port } = new URL(address);
    await hold();
    await withAgentWithoutPage({ page: { port: Number(port) } }, `port ${port} is in use`);
  });
  await withAgentWithoutPage({ page: { enabled: false } }, "page.enabled is false");
});

/** An agent whose page cannot be, and holds a result all the same. */
async function withAgentWithoutPage(options: Record<string, unknown>, why: string): Promise<void> {
  await withOwnerSite(
    async ({ hold, dataFolder }) => {
      await hold();
      await waitFor(async () => (await readStatus(dataFolder))?.page, { what: "the status" });
      const { text, code } = await runPage(dataFolder);
      assert.equal(code, 1);
      assert.match(text, new RegExp(`^The page is not there: ${why}`));
      const status = await readStatus(dataFolder);
      assert.equal(status!.page!.address, null);
    },
    options,
    { hasPage: false },
  );
}

Deno.test("a page that cannot be put together says why, and is tried again", async () => {
  const folder = await temporaryFolder();
  try {
    const build = join(folder.path, "build.ts");
    const signal = new AbortController().signal;
    const options = { folder: join(folder.path, "files"), log: silentLogger, signal, build };
    const compile = createCompiler(options);
    await Deno.writeTextFile(build, `throw new Error("no compiler runs here");`);
    await assert.rejects(compile(), (error) =>
      error instanceof Refusal && error.status === 503 &&
      /^Cannot put this page together: [^]*no compiler runs here/.test(error.message));
    await Deno.writeTextFile(build, "await Deno.mkdir(Deno.args[0]);");
    await compile();
    assert.ok((await Deno.stat(options.folder)).isDirectory);
    // Once is enough.
    await compile();
  } finally {
    await folder.remove();
  }
});
