import assert from "node:assert/strict";
import type { ToldDescription } from "../../../shared/node_protocol/description.ts";
import { descriptionFor } from "./description_for.ts";

const described = (summary: string): ToldDescription => ({
  name: "a",
  version: "1.0.0",
  summary,
  methods: {},
});
const told = [
  { digest: "sha256:1", description: described("one") },
  { digest: "sha256:2", description: described("two") },
];

Deno.test("descriptionFor() takes that of the code that ran, and no other", () => {
  assert.equal(descriptionFor({ code: "sha256:2" }, told)?.summary, "two");
  assert.equal(descriptionFor({ code: "sha256:3" }, told), undefined);
});

Deno.test("descriptionFor() of unknown code takes what all nodes say, where they agree", () => {
  assert.equal(descriptionFor({ code: null }, told), undefined);
  assert.equal(descriptionFor({ code: null }, told.slice(1))?.summary, "two");
  assert.equal(descriptionFor({ code: null }, []), undefined);
});
