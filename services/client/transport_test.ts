import assert from "node:assert/strict";
import { UnreachableError } from "./errors.ts";
import { createTransport, hubUrl } from "./transport.ts";

/** A way to the hub on which these come to pass, one after the other. */
function way(...outcomes: (Response | Error)[]) {
  let sent = 0;
  const fetch = () => {
    const outcome = outcomes[sent++]!;
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
  };
  return { transport: createTransport({ url: "http://hub", fetch }), sent: () => sent };
}

const away = () => new Response("{}", { status: 503 });
const cut = () => new TypeError("the cable was cut");
const well = () => new Response("{}");
const request = { method: "GET", path: "/task", repeatable: true } as const;

Deno.test("what may be sent again is, until there is an answer or patience ends", async () => {
  const mended = way(cut(), away(), well());
  assert.equal((await mended.transport.send(request)).status, 200);
  assert.equal(mended.sent(), 3);
  const gone = way(cut(), cut(), cut(), cut(), well());
  await assert.rejects(gone.transport.send(request), UnreachableError);
  assert.equal(gone.sent(), 4);
});

Deno.test("what is to be sent once is sent once, whatever comes of it", async () => {
  const broken = way(cut(), well());
  await assert.rejects(
    broken.transport.send({ ...request, method: "POST", repeatable: false }),
    /Cannot reach the hub at http:\/\/hub: the cable was cut/,
  );
  assert.equal(broken.sent(), 1);
  const refused = way(away(), well());
  assert.equal((await refused.transport.send({ ...request, repeatable: false })).status, 503);
});

Deno.test("a refusal is an answer, a limit is waited for, and a deletion whose answer was lost went well", async () => {
  const refused = way(new Response("{}", { status: 400 }), well());
  assert.equal((await refused.transport.send(request)).status, 400);
  const limit = (after: string) =>
    new Response("{}", { status: 429, headers: { "retry-after": after } });
  assert.equal((await way(limit("0"), well()).transport.send(request)).status, 200);
  assert.equal((await way(limit("3600"), well()).transport.send(request)).status, 429);
  const deletion = { ...request, method: "DELETE" } as const;
  const missing = () => new Response("{}", { status: 404 });
  assert.equal((await way(cut(), missing()).transport.send(deletion)).status, 200);
  assert.equal((await way(missing()).transport.send(deletion)).status, 404);
});

Deno.test("who stops a request is told so at once, in their own words", async () => {
  const stop = new AbortController();
  const { transport } = way(away(), well());
  const sending = transport.send({ ...request, signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(sending, /^Error: enough$/);
});

Deno.test("hubUrl() takes addresses as people give them, and no other protocol", () => {
  for (const given of ["https://hub.example", "https://hub.example/", "https://hub.example/api/"]) {
    assert.equal(hubUrl(given), "https://hub.example");
  }
  assert.equal(hubUrl("https://h.example/federated/api"), "https://h.example/federated");
  assert.throws(() => hubUrl("file:///etc/passwd"), TypeError);
  assert.throws(() => hubUrl("hub"), TypeError);
});
