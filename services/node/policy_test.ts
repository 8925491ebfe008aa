import assert from "node:assert/strict";
import { decide } from "./policy.ts";

function reasonFor(image: string, list: string[] | undefined): string {
  const decision = decide(image, list);
  assert.ok(!decision.allowed, `${image} was allowed`);
  return decision.reason;
}

Deno.test("decide() without a list allows the node's own algorithms and nothing else", () => {
  assert.ok(decide("deno:average@1.0", undefined).allowed);
  for (
    const image of [
      "deno:https://example.org/a.ts#sha256=00",
      "deno:../../etc/x@1",
      "deno:average",
      "average:1.0",
      "deno:a@1 ",
      "",
    ]
  ) {
    assert.match(reasonFor(image, undefined), /no policies\.allowed_algorithms are configured/);
  }
});

Deno.test("decide() with an empty list refuses everything", () => {
  assert.match(reasonFor("deno:average@1.0", []), /allowed_algorithms is empty/);
});

Deno.test("decide() takes an entry as itself, or as a name with any version", () => {
  const pairs: [entry: string, image: string][] = [
    ["deno:average@1.0", "deno:average@1.0"],
    ["deno:average", "deno:average@2.7"],
    ["registry.example:5000/v6/average", "registry.example:5000/v6/average:4.1"],
    ["registry.example:5000/v6/average", "registry.example:5000/v6/average@sha256:aa"],
    ["registry.example:5000/v6/average", "registry.example:5000/v6/average:4.1@sha256:aa"],
    ["deno:https://example.org/a.ts", "deno:https://example.org/a.ts#sha256=aa"],
  ];
  for (const [entry, image] of pairs) assert.ok(decide(image, [entry]).allowed, image);
});

Deno.test("decide() refuses look-alikes and says which rule did", () => {
  const pairs: [entry: string, image: string][] = [
    ["deno:average@1.0", "deno:average@1.0.1"],
    ["deno:average@1.0", "deno:average@2.0"],
    ["deno:average", "deno:average2@1.0"],
    ["deno:average", "deno:averagex"],
    ["v6/average", "evil.example/v6/average:1"],
    ["v6/average:1", "v6/average:12"],
    ["registry.example", "registry.example:5000/v6/average"],
    ["deno:https://example.org/a.ts#sha256=aa", "deno:https://example.org/a.ts#sha256=bb"],
  ];
  for (const [entry, image] of pairs) {
    assert.match(reasonFor(image, [entry]), /is not in policies\.allowed_algorithms/);
  }
});
