import assert from "node:assert/strict";
import { ImageError, readReference } from "./image_reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

Deno.test("readReference() reads names as Docker does", () => {
  const cases: [reference: string, registry: string, full: string][] = [
    ["busybox", "docker.io", "docker.io/library/busybox:latest"],
    ["org/average:2", "docker.io", "docker.io/org/average:2"],
    ["harbor.example/org/average", "harbor.example", "harbor.example/org/average:latest"],
    ["localhost/one:1", "localhost", "localhost/one:1"],
    ["localhost:5000/one", "localhost:5000", "localhost:5000/one:latest"],
    ["host:5000/a/b:c", "host:5000", "host:5000/a/b:c"],
    [`harbor.example/one:1@${DIGEST}`, "harbor.example", `harbor.example/one@${DIGEST}`],
  ];
  for (const [reference, registry, full] of cases) {
    const isFixed = full.includes("@");
    assert.deepEqual(readReference(reference), { registry, full, isFixed }, reference);
  }
});

Deno.test("readReference() refuses what could mean something else to the engine", () => {
  for (
    const bad of ["", "A/b", "../x", "a?b=c", "a:b:c", "a//b/../c", "a@sha256:12", "a b", "-a"]
  ) {
    assert.throws(() => readReference(bad), ImageError, bad);
  }
});
