import assert from "node:assert/strict";
import { matches } from "./references.ts";

const DIGEST = "a1".repeat(32);

Deno.test("matches() takes an entry as itself, a name, a digest, or a pattern of the whole", () => {
  const pairs: [entry: string, image: string][] = [
    ["deno:average@1.0", "deno:average@1.0"],
    ["deno:average", "deno:average@2.7"],
    ["registry.example:5000/v6/average", "registry.example:5000/v6/average:4.1"],
    ["registry.example:5000/v6/average", `registry.example:5000/v6/average@sha256:${DIGEST}`],
    ["registry.example:5000/v6/average", `registry.example:5000/v6/average:4.1@sha256:${DIGEST}`],
    [`v6/average@sha256:${DIGEST}`, `v6/average:4.1@sha256:${DIGEST}`],
    [`sha256:${DIGEST}`, `v6/average:4.1@sha256:${DIGEST}`],
    [`sha256:${DIGEST}`, `deno:https://example.org/a.ts#sha256=${DIGEST}`],
    ["deno:https://example.org/a.ts", "deno:https://example.org/a.ts#sha256=aa"],
    ["registry\\.example/v6/.*", "registry.example/v6/average:1"],
    ["deno:(average|sum)@1\\.\\d+", "deno:sum@1.12"],
    ["a|b", "b"],
  ];
  for (const [entry, image] of pairs) assert.ok(matches(entry, image), `${entry} ${image}`);
});

Deno.test("matches() takes no look-alike", () => {
  const pairs: [entry: string, image: string][] = [
    ["deno:average@1.0", "deno:average@1.0.1"],
    ["deno:average@1.0", "deno:average@2.0"],
    ["deno:average", "deno:average2@1.0"],
    ["deno:average", "deno:averagex"],
    ["v6/average", "evil.example/v6/average:1"],
    ["v6/average:1", "v6/average:12"],
    ["v6.average", "v6/average"],
    ["registry.example", "registry.example:5000/v6/average"],
    [`v6/average@sha256:${DIGEST}`, `v6/other@sha256:${DIGEST}`],
    [`sha256:${DIGEST}`, `v6/average:sha256-${DIGEST}`],
    ["deno:https://example.org/a.ts#sha256=aa", "deno:https://example.org/a.ts#sha256=bb"],
    ["registry\\.example/v6/average:[0-9]+", "registry.example/v6/average:1-evil"],
    ["registry\\.example/v6/average:[0-9]+", "evil.example/registry.example/v6/average:1"],
    ["a|b", "bc"],
    ["a|b", "ca"],
    [".*", "one\ntwo"],
    // What is no version, tag or digest is no part to be left out.
    ["deno:average", "deno:average@../../evil"],
    ["deno:average", "deno:average@1.0\n"],
    ["v6/average", "v6/average@evil.example/x:1"],
    ["v6/average", "v6/average:1/../evil"],
    ["v6/average", `v6/average@sha256:${DIGEST}0`],
    ["v6/average:1", `v6/average:1@sha256:${DIGEST}`],
    ["deno:averag\u0435", "deno:average@1.0"],
    ["^deno:average", "deno:average@1.0"],
    ["deno:average$", "deno:average@1.0"],
    ["", "deno:average@1.0"],
  ];
  for (const [entry, image] of pairs) assert.ok(!matches(entry, image), `${entry} ${image}`);
});
