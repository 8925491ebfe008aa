import assert from "node:assert/strict";
import { encodeWithRaw, isJson, RawJson } from "./raw_json.ts";

const encoder = new TextEncoder();

Deno.test("isJson() looks at all of it, and lets others have their turn meanwhile", async () => {
  assert.deepEqual(
    await Promise.all(["1", "", "{", "NaN"].map((text) => isJson(encoder.encode(text)))),
    [
      true,
      false,
      false,
      false,
    ],
  );
  const long = `[${"[],".repeat(800_000)}0`;
  let turns = 0;
  const timer = setInterval(() => turns++);
  assert.equal(await isJson(encoder.encode(`${long}]`)), true);
  clearInterval(timer);
  assert.ok(turns > 0);
  assert.equal(await isJson(encoder.encode(long)), false);
});

Deno.test("encodeWithRaw() puts raw values in their places, in one line", () => {
  const raw = (text: string) => new RawJson(encoder.encode(text));
  const value = {
    id: 1,
    parts: [raw('{\n "a": ["x\\n", 1e400]\r\n}'), { b: raw("\ufeffnull") }, '"', "ä"],
  };
  const pieces = encodeWithRaw(value).map((piece) => new TextDecoder().decode(piece));
  assert.equal(
    pieces.join(""),
    '{"id":1,"parts":[{  "a": ["x\\n", 1e400]\r },{"b":null},"\\"","ä"]}',
  );
});
