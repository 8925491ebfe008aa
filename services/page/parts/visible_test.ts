import assert from "node:assert/strict";
import { named, piecesOf, visible } from "./visible.ts";

Deno.test("visible leaves what people write as it is", () => {
  for (
    const text of [
      "",
      "Clinic 1",
      "Zürich <b>&amp;</b>",
      "מרפאה",
      "كلينيك",
      "می‌خواهم",
      "क्‍ष",
      "👩‍⚕️ 🇳🇱",
      "\u{1F600}",
    ]
  ) {
    assert.equal(visible(text), text);
  }
});

Deno.test("visible shows controls, turned directions and what has no width as marks", () => {
  assert.equal(visible("a\u0000b\u001b[31m\u007f"), "a␀b␛[31m␡");
  assert.equal(visible("\u202efdp.exe"), "[U+202E]fdp.exe");
  assert.equal(visible("a\u2066b\u2069"), "a[U+2066]b[U+2069]");
  assert.equal(visible("Cli\u200bnic\ufeff\u00ad"), "Cli[U+200B]nic[U+FEFF][U+00AD]");
  assert.equal(visible("a\u0085\u2028\u061c"), "a[U+0085][U+2028][U+061C]");
  assert.equal(visible("\u{e0041}"), "[U+E0041]");
  assert.equal(visible("\ud800x\udfff"), "[U+D800]x[U+DFFF]");
});

Deno.test("visible shows joiners among Latin letters and at the ends of a name", () => {
  assert.equal(visible("Cli\u200dnic"), "Cli[U+200D]nic");
  assert.equal(visible("\u200cClinic\u200d"), "[U+200C]Clinic[U+200D]");
});

Deno.test("visible keeps line ends and tabs only where there are lines", () => {
  assert.equal(visible("a\r\nb\tc\rd", { lines: true }), "a\nb\tc␍d");
  assert.equal(visible("a\nb\tc"), "a␊b␉c");
});

Deno.test("piecesOf says what each mark stands for", () => {
  assert.deepEqual(piecesOf("a\u202eb"), [
    { text: "a", hidden: undefined },
    { text: "[U+202E]", hidden: "U+202E" },
    { text: "b", hidden: undefined },
  ]);
});

Deno.test("named() gives what has no visible name another one", () => {
  assert.deepEqual(["", "  \u00a0", " a "].map((name) => named(name, "Task 3")), [
    "Task 3",
    "Task 3",
    " a ",
  ]);
});
