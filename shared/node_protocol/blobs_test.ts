import assert from "node:assert/strict";
import { isBlobId } from "./blobs.ts";

Deno.test("isBlobId() takes a UUID in lower case, as the hub makes it", () => {
  for (let n = 0; n < 10; n++) assert.ok(isBlobId(crypto.randomUUID()));
});

Deno.test("isBlobId() takes no other text, and no base64", () => {
  const id = crypto.randomUUID();
  const others = [id.toUpperCase().replace(/^\d/, "A"), `${id}\n`, ` ${id}`, id.slice(1), ""];
  for (const text of [...others, btoa(id), null]) assert.ok(!isBlobId(text), String(text));
});
