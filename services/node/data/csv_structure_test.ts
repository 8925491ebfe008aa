import assert from "node:assert/strict";
import { Scanner, type ScannerOptions } from "./csv_structure.ts";
import { DataError } from "./error.ts";

function scan(text: string, options: Partial<ScannerOptions> = {}, pieces = 1) {
  const scanner = new Scanner({ separator: ",", ...options });
  const size = Math.max(1, Math.ceil(text.length / pieces));
  for (let at = 0; at < text.length; at += size) scanner.push(text.slice(at, at + size));
  return scanner.end();
}

function records(text: string, separator = ","): string[][] {
  const found: string[][] = [];
  scan(text, { separator, onRecord: (cells) => found.push(cells) });
  return found;
}

Deno.test("Scanner reads quotes, separators and line breaks within quotes, however the text is cut", () => {
  const text = 'a,b\r\n"x, ""y""","two\r\nlines"\r\n"",z\r\nq"r,s\r\n';
  assert.deepEqual(records(text), [
    ["a", "b"],
    ['x, "y"', "two\r\nlines"],
    ["", "z"],
    ['q"r', "s"],
  ]);
  for (let pieces = 1; pieces <= text.length; pieces++) {
    assert.equal(scan(text, {}, pieces).records, 4, `${pieces} pieces`);
  }
});

Deno.test("Scanner knows the three kinds of line ends, and a last line without one", () => {
  for (const end of ["\n", "\r\n", "\r"] as const) {
    const { records, lineEnds } = scan(["a,b", "1,2", "3,4"].join(end));
    assert.equal(records, 3);
    assert.deepEqual([...lineEnds], [end]);
    assert.equal(scan(`${["a,b", "1,2"].join(end)}${end}`).records, 2);
  }
  assert.deepEqual([...scan("a\r1\n2\r\n").lineEnds], ["\r", "\n", "\r\n"]);
});

Deno.test("Scanner counts blank lines and takes none for a record", () => {
  assert.deepEqual(records("a\n1\n\n2\n\n"), [["a"], ["1"], ["2"]]);
  const { records: rows, blankLines } = scan("a\n\n1\n\n\n");
  assert.deepEqual({ rows, blankLines }, { rows: 2, blankLines: 3 });
  assert.deepEqual(records('a\n""\n1\n'), [["a"], [""], ["1"]], "quotes make an empty cell");
});

Deno.test("Scanner names the line of what is wrong, and no value", () => {
  const cases: [string, RegExp][] = [
    ['a,b\n"x\ny",1\n7042,2,3\n', /^Line 4 has 3 cells, but the first line names 2 columns\.$/],
    ["a,b\n1\n", /^Line 2 has 1 cells/],
    ['a,b\n1,2\n"3,4\n5,6\n', /^Line 3 opens a quote that is never closed\.$/],
    ['a,b\n"3"x,4\n', /^Line 2 has something between a closing quote/],
    ['a,b\r\n"x\r\ny",1\r\n1,2,3', /^Line 4 has 3 cells/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => scan(text), (error: Error) => {
      assert.ok(error instanceof DataError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /7042/);
      return true;
    });
  }
});

Deno.test("Scanner counts ragged records where it is asked to", () => {
  const { ragged, firstRagged } = scan("a,b\n1\n1,2\n1,2,3\n", { ragged: "counted" });
  assert.equal(ragged, 2);
  assert.deepEqual(firstRagged, { line: 2, cells: 1 });
});
