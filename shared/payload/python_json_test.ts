import assert from "node:assert/strict";
import fc from "fast-check";
import { hasLongNumber, parsePythonJson, writePythonJson } from "./python_json.ts";

Deno.test("parsePythonJson() reads what Python writes, and says whether it is JSON", () => {
  const text = String.raw`{"a": [NaN, -Infinity, Infinity], "NaN": "Infinity \" NaN \\", "b":NaN}`;
  assert.deepEqual(parsePythonJson(text), {
    value: { a: [NaN, -Infinity, Infinity], NaN: 'Infinity " NaN \\', b: NaN },
    isJson: false,
    isExact: true,
  });
  assert.deepEqual(parsePythonJson("NaN"), { value: NaN, isJson: false, isExact: true });
  const quoted = parsePythonJson('{"a": "NaN"}');
  assert.deepEqual(quoted, { value: { a: "NaN" }, isJson: true, isExact: true });
});

Deno.test("parsePythonJson() takes nothing else that JSON does not", () => {
  const wrong = [
    "",
    "nan",
    "-NaN",
    "+Infinity",
    "1Infinity",
    "[NaN NaN]",
    "{NaN: 1}",
    '"NaN',
    "[NaN",
  ];
  for (const text of [...wrong, "[NaN,]", "Infinity1", '["\\", NaN]', "NaNNaN", "[NaN, 'a']"]) {
    assert.throws(() => parsePythonJson(text), SyntaxError, text);
  }
});

Deno.test("parsePythonJson() and writePythonJson() agree on every value", () => {
  const leaf = fc.oneof(
    fc.double().map((number) => number === 0 ? 0 : number),
    fc.string({ unit: fc.constantFrom('"', "\\", "NaN", "-Infinity", "a", "{") }),
    fc.constant(null),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie("value")),
      fc.dictionary(fc.constantFrom("NaN", "x", '"'), tie("value"), { noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(value, (one) => assert.deepEqual(parsePythonJson(writePythonJson(one)).value, one)),
    { numRuns: 500 },
  );
});

Deno.test("parsePythonJson() keeps every digit of whole numbers, and says where JSON.parse would not", () => {
  const read = (text: string) => {
    const { value, isExact } = parsePythonJson(text);
    return [value, isExact];
  };
  assert.deepEqual(read("[9007199254740993]"), [[9007199254740993n], false]);
  assert.deepEqual(read("[9007199254740992, 100000000000000000000]"), [[2 ** 53, 1e20], true]);
  assert.deepEqual(read('{"id": -12345678901234567891, "x": NaN}'), [
    { id: -12345678901234567891n, x: NaN },
    false,
  ]);
  assert.deepEqual(read('["9007199254740993", 1e300, 0.12345678901234567890]'), [
    ["9007199254740993", 1e300, 0.12345678901234568],
    true,
  ]);
  assert.deepEqual(read("[1e400]"), [[Infinity], false]);
});

Deno.test("hasLongNumber() minds whole numbers and large powers, and no decimals", () => {
  const long = ["9007199254740993", "[-12345678901234567]", '{"a":1e400}', "[1E+309]", "1e999"];
  const short = ["0.1234567890123456789", "[12.34567890123456789, 3]", "1e22", "123456789012345"];
  assert.deepEqual(long.map(hasLongNumber), long.map(() => true));
  assert.deepEqual(short.map(hasLongNumber), short.map(() => false));
  // Behind the point there are too many digits for a number, and they round as they always do.
  assert.deepEqual(parsePythonJson("[0.1234567890123456789]"), {
    value: [0.1234567890123456789],
    isJson: true,
    isExact: true,
  });
});

Deno.test("writePythonJson() refuses what JSON would drop or turn into something else", () => {
  const losses = [new Map(), new Set(), new Float64Array(1), 10n, () => 1, Symbol("x")];
  for (const value of losses) {
    assert.throws(
      () => writePythonJson({ kwargs: [{ start: value }] }),
      (error) =>
        error instanceof TypeError && /Cannot write "start": it is a \w+, /.test(error.message),
    );
  }
  for (const list of [[1, undefined], new Array(2)]) {
    assert.throws(() => writePythonJson({ kwargs: list }), /a list with undefined at [01]: JSON/);
  }
  assert.equal(writePythonJson({ a: undefined, b: [null, NaN] }), '{"b":[null,NaN]}');
});
