import assert from "node:assert/strict";
import { isOpen } from "./brackets.ts";

Deno.test("isOpen() finds brackets, templates and comments that go on", () => {
  const open = [
    "f(",
    "const a = {",
    "[1,",
    "`text",
    "`${a + ",
    "/* so",
    "f(`${`",
    "if (a) {\n  b()",
  ];
  for (const code of open) assert.equal(isOpen(code), true, code);
});

Deno.test("isOpen() takes no notice of brackets in texts, comments and regular expressions", () => {
  const closed = [`"("`, `'{'`, "`(`", "// (", "/* ( */", "a = /[(]/", "f(/\\(/)", "`${a}(`", ""];
  for (const code of closed) assert.equal(isOpen(code), false, code);
});

Deno.test("isOpen() gives up where brackets do not match", () => {
  for (const code of ["(]", "f({name: )", ")", "({]"]) assert.equal(isOpen(code), false, code);
});
