import assert from "node:assert/strict";
import { networkReason } from "./network_reason.ts";

const proxy = "http://reader@proxy.example:3128";

Deno.test("networkReason() says what to do about an authority that is not known, in the words of either stack", () => {
  for (
    const text of [
      "client error (Connect): invalid peer certificate: UnknownIssuer",
      "unable to verify the first certificate",
      "self-signed certificate in certificate chain",
    ]
  ) assert.match(networkReason(text, undefined), /name the authority's own in ca\)$/);
});

Deno.test("networkReason() tells a proxy that asks who it is from one that refuses and one that is not there", () => {
  const ask = /the proxy http:\/\/reader@proxy\.example:3128 wants a name and password/;
  assert.match(networkReason("client error (Connect): proxy authentication required", proxy), ask);
  assert.match(networkReason("Unexpected server response: 407", proxy), ask);
  const refuses = /^unsuccessful tunnel \(the proxy \S+ does not let it through\)$/;
  assert.match(networkReason("client error (Connect): unsuccessful tunnel", proxy), refuses);
  assert.match(networkReason("Unexpected server response: 403", proxy), /does not let it through/);
  const gone = /it is the proxy \S+ that cannot be reached/;
  assert.match(networkReason("connect ECONNREFUSED 10.0.0.1:3128", proxy), gone);
});

Deno.test("networkReason() blames no proxy where there is none", () => {
  assert.equal(
    networkReason("connect ECONNREFUSED 10.0.0.1:443", undefined),
    "connect ECONNREFUSED 10.0.0.1:443",
  );
  assert.equal(
    networkReason("Unexpected server response: 404", undefined),
    "Unexpected server response: 404",
  );
});
