import assert from "node:assert/strict";
import { readTraceparent, traceparentSchema, writeTraceparent } from "./traceparent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

Deno.test("readTraceparent() reads what writeTraceparent() writes", () => {
  const text = `00-${TRACE}-${SPAN}-01`;
  const read = readTraceparent(text);
  assert.deepEqual(read, { traceId: TRACE, spanId: SPAN, flags: 1 });
  assert.equal(writeTraceparent(read!), text);
  assert.equal(writeTraceparent({ ...read!, flags: 0 }), `00-${TRACE}-${SPAN}-00`);
});

Deno.test("readTraceparent() takes nothing that is none, and a message with one is read all the same", () => {
  const broken = [
    undefined,
    null,
    "",
    `01-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01\n`,
    `${"a".repeat(1e6)}`,
  ];
  for (const text of broken) {
    assert.equal(readTraceparent(text), undefined);
    assert.equal(traceparentSchema.parse(text), undefined);
  }
  assert.equal(traceparentSchema.parse(`00-${TRACE}-${SPAN}-01`), `00-${TRACE}-${SPAN}-01`);
});
