import assert from "node:assert/strict";
import { showResult, visible } from "./held_text.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function page(bytes: Uint8Array, number: number) {
  const read = (start: number, end: number) => Promise.resolve(bytes.subarray(start, end));
  return showResult({ size: bytes.length, read }, number);
}

Deno.test("visible() shows every character that a terminal would obey or hide", () => {
  for (
    const [text, shown] of [
      ["\x1b[2J", "\\u001b[2J"],
      ["a\rb", "a\\u000db"],
      ["\x9b1m", "\\u009b1m"],
      ["\u202eevil", "\\u202eevil"],
      ["a\u200bb", "a\\u200bb"],
      ["\u{e0041}", "\\u{e0041}"],
      ["x\ufe0f", "x\\ufe0f"],
      ["\ud800", "\\ud800"],
      ["a\nb", "a\\u000ab"],
      ["Zoë 日本 😀 −", "Zoë 日本 😀 −"],
    ] as const
  ) assert.equal(visible(text), shown);
  assert.equal(visible("a\nb\x07", { lines: true }), "a\nb\\u0007");
});

Deno.test("showResult() lays out JSON and changes nothing that is said in it", async () => {
  const text = '{"a":[1,2.50,1e400,{}],"a": "x,\\"{\\u0041","b":[]}';
  assert.equal(
    (await page(encode(text), 1)).text,
    [
      "{",
      '  "a": [',
      "    1,",
      "    2.50,",
      "    1e400,",
      "    {}",
      "  ],",
      '  "a": "x,\\"{\\u0041",',
      '  "b": []',
      "}",
    ].join("\n"),
  );
});

Deno.test("showResult() shows what is no JSON as it is, and bytes that are no text one by one", async () => {
  assert.equal((await page(encode("id,age\n1,\x1b41"), 1)).text, "id,age\n1,\\u001b41");
  assert.equal((await page(Uint8Array.of(0x80, 4, 0x41), 1)).text, "\\x80\\x04A");
  assert.deepEqual(await page(encode(""), 1), { text: "", page: 1, pages: 1 });
});

Deno.test("showResult() shows a long result page by page, with nothing left out", async () => {
  const numbers = Array.from({ length: 450 }, (_, i) => i);
  const pages = [];
  for (const number of [1, 2, 3]) pages.push(await page(encode(JSON.stringify(numbers)), number));
  assert.deepEqual(pages.map(({ pages }) => pages), [3, 3, 3]);
  assert.deepEqual(JSON.parse(pages.map(({ text }) => text).join("\n")), numbers);

  const large = "ä€😀".repeat(600_000);
  const bytes = encode(large);
  const { pages: count } = await page(bytes, 1);
  let shown = "";
  for (let number = 1; number <= count; number++) {
    shown += (await page(bytes, number)).text.replaceAll("\n", "");
  }
  assert.ok(shown === large, "every character stands on one page");
  assert.equal((await page(bytes, count + 1)).text, "");
});
