import assert from "node:assert/strict";
import { encodeWithRaw, RawJson } from "./raw_json.ts";

const encoder = new TextEncoder();

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
