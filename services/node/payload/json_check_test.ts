import assert from "node:assert/strict";
import fc from "fast-check";
import { createJsonCheck } from "./json_check.ts";

const encoder = new TextEncoder();

function check(bytes: Uint8Array, size = bytes.length || 1): boolean {
  const check = createJsonCheck();
  for (let at = 0; at < bytes.length; at += size) check.take(bytes.subarray(at, at + size));
  return check.end();
}

function parses(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

Deno.test("createJsonCheck() says yes to every JSON text, however it is cut", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.integer({ min: 1, max: 9 }), (text, size) => {
      assert.ok(check(encoder.encode(text), size), text);
    }),
    { numRuns: 50 },
  );
  fc.assert(fc.property(fc.double(), fc.string({ unit: "binary" }), (number, string) => {
    const text = JSON.stringify({ [string]: [number, string] }, null, "\t");
    assert.ok(check(encoder.encode(text), 2), text);
  }));
});

Deno.test("createJsonCheck() agrees with JSON.parse on texts that are spoilt somewhere", () => {
  const pieces = ["[", "]", "{", "}", ",", ":", '"', "\\", "u00e9", "0", "1", "-", "+", ".", "e"];
  const text = fc.array(fc.constantFrom(...pieces, "E", " ", "\n", "true", "nul", "ä", "😀", "\0"));
  fc.assert(
    fc.property(text, (parts) => {
      const bytes = encoder.encode(parts.join(""));
      assert.equal(check(bytes), parses(bytes), parts.join(""));
    }),
    { numRuns: 2000 },
  );
  const valid = fc.json({ maxDepth: 3 }).map((text) => encoder.encode(text));
  fc.assert(
    fc.property(valid, fc.nat(), fc.integer({ min: 0, max: 255 }), (bytes, at, byte) => {
      bytes[at % bytes.length] = byte;
      assert.equal(check(bytes), parses(bytes), new TextDecoder().decode(bytes));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("createJsonCheck() agrees with the decoder on every kind of wrong UTF-8", () => {
  const bytes = fc.array(
    fc.constantFrom(0x61, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0)
      .chain((byte) => fc.constantFrom(byte, 0xe1, 0xed, 0xef, 0xf0, 0xf3, 0xf4, 0xf5, 0xff)),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(bytes, (inner) => {
      const text = new Uint8Array([0x22, ...inner, 0x22]);
      assert.equal(check(text, 1), parses(text), inner.toString());
    }),
    { numRuns: 10_000 },
  );
});

Deno.test("createJsonCheck() refuses what is not one whole value, and endless nesting", () => {
  for (const text of ["", " ", "[", '{"a"', '{"a":', '"a', "1 2", "-", "1.", "1e", "nu", "[1,]"]) {
    assert.equal(check(encoder.encode(text)), false, text);
  }
  for (const depth of [10_000, 10_001]) {
    const text = "[".repeat(depth) + "]".repeat(depth);
    assert.equal(check(encoder.encode(text)), depth === 10_000);
  }
});
