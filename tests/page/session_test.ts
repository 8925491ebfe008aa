/**
 * The log-in of the page as an attacker would try it: without a browser, against a whole hub.
 * @module
 */
import assert from "node:assert/strict";
import { useTestStack } from "../harness.ts";

const stack = useTestStack();

interface Sent {
  body?: unknown;
  cookie?: string | undefined;
  headers?: Record<string, string>;
}

/** As the page sends it, unless `headers` say otherwise. */
async function call(path: string, { body, cookie, headers = {} }: Sent = {}) {
  const response = await fetch(`${stack().gatewayUrl}/session/${path}`, {
    method: "POST",
    headers: {
      "x-sextant-page": "yes",
      "content-type": "application/json",
      ...(cookie ? { cookie } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const set = response.headers.getSetCookie();
  return { status: response.status, set, answer: await response.json() };
}

async function logIn() {
  const { set: [set], answer } = await call("log-in", { body: await stack().adminCredentials() });
  return { cookie: set!.split(";", 1)[0]!, set: set!, answer };
}

Deno.test("POST /session/log-in puts the refresh token into a cookie that scripts and other sites cannot have", async () => {
  const { set, answer } = await logIn();
  assert.equal(answer.refresh_token, "");
  assert.match(answer.access_token, /^ey/);
  assert.match(set, /; HttpOnly/);
  assert.match(set, /; SameSite=Strict/);
  // Plain HTTP on this machine; behind a front with TLS it has `Secure`.
  assert.doesNotMatch(set, /Secure|Path|Domain|Max-Age|Expires/);
  const response = await fetch(`${stack().gatewayUrl}/api/organization`, {
    headers: { authorization: `Bearer ${answer.access_token}` },
  });
  await response.body?.cancel();
  assert.equal(response.status, 200);
});

Deno.test("POST /session/log-in sets no cookie for a wrong password, and reads no more than a log-in", async () => {
  const { username } = await stack().adminCredentials();
  const wrong = await call("log-in", { body: { username, password: "wrong" } });
  assert.equal(wrong.status, 401);
  assert.deepEqual(wrong.set, []);
  const large = await call("log-in", { body: { username, password: "x".repeat(20_000) } });
  assert.equal(large.status, 413);
});

Deno.test("/session is for the hub's own page: other sites, and whoever lacks its header, are refused", async () => {
  const { cookie } = await logIn();
  for (const path of ["log-in", "renew", "log-out"]) {
    for (const site of ["cross-site", "same-site", "none"]) {
      const { status, set } = await call(path, { cookie, headers: { "sec-fetch-site": site } });
      assert.equal(status, 401, `${path} ${site}`);
      assert.deepEqual(set, []);
    }
    const response = await fetch(`${stack().gatewayUrl}/session/${path}`, {
      method: "POST",
      headers: { cookie },
    });
    await response.body?.cancel();
    assert.equal(response.status, 401, path);
  }
  // None of these ended the log-in.
  assert.match((await call("renew", { cookie })).answer.access_token, /^ey/);
});

Deno.test("a page of another origin may not send the cookie: the answer to its preflight allows no credentials", async () => {
  const response = await fetch(`${stack().gatewayUrl}/session/renew`, {
    method: "OPTIONS",
    headers: {
      origin: "https://evil.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "x-sextant-page",
    },
  });
  await response.body?.cancel();
  assert.equal(response.headers.get("access-control-allow-credentials"), null);
});

Deno.test("POST /session/renew gives new tokens by the cookie, and says without one that nobody is in", async () => {
  const { cookie } = await logIn();
  const renewed = await call("renew", { cookie });
  assert.match(renewed.answer.access_token, /^ey/);
  assert.equal(renewed.answer.refresh_token, "");
  assert.equal(renewed.set.length, 1);
  assert.deepEqual((await call("renew")).answer, { over: true });
  const forged = await call("renew", { cookie: "sextant_refresh_token=forged" });
  assert.deepEqual(forged.answer, { over: true });
  assert.match(forged.set[0]!, /Max-Age=0/);
});

Deno.test("POST /session/log-out ends the log-in at the hub, for its tokens too", async () => {
  const { cookie, answer } = await logIn();
  const out = await call("log-out", { cookie });
  assert.equal(out.status, 200);
  assert.match(out.set[0]!, /Max-Age=0/);
  assert.deepEqual((await call("renew", { cookie })).answer, { over: true });
  const response = await fetch(`${stack().gatewayUrl}/api/organization`, {
    headers: { authorization: `Bearer ${answer.access_token}` },
  });
  await response.body?.cancel();
  assert.equal(response.status, 401);
  assert.equal((await call("log-out", { cookie })).status, 200);
});

Deno.test("GET / and its assets are compressed, kept for ever by name, and held by a strict policy", async () => {
  const page = await fetch(stack().gatewayUrl);
  assert.equal(page.headers.get("cache-control"), "no-cache");
  const policy = page.headers.get("content-security-policy")!;
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*|https?:/);
  const [script] = /assets\/page-[^"]+/.exec(await page.text())!;
  for (const encoding of ["br", "gzip"]) {
    const asset = await fetch(`${stack().gatewayUrl}/${script}`, {
      headers: { "accept-encoding": encoding },
    });
    assert.match(asset.headers.get("cache-control")!, /immutable/);
    assert.equal(asset.headers.get("vary"), "accept-encoding");
    assert.match(await asset.text(), /^import|^var|^\(/);
  }
  for (const name of ["page.json", "..%2fenrolment.json", "nothing.js", "__proto__"]) {
    const response = await fetch(`${stack().gatewayUrl}/assets/${name}`);
    await response.body?.cancel();
    assert.equal(response.status, 404, name);
  }
});
