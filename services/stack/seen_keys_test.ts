import assert from "node:assert/strict";
import { freePort } from "./ports.ts";
import { createApiClient } from "./api_client.ts";
import { rememberKeys } from "./seen_keys.ts";

const organization = (id: number, key: string) => ({
  id,
  name: `o${id}`,
  public_key: key === "" ? "" : btoa(key),
});

Deno.test("rememberKeys() says when a public key is another than before, in lists too", () => {
  const said: string[] = [];
  const look = rememberKeys((line) => void said.push(line));
  look(organization(1, ""));
  look({ data: [organization(1, "a"), organization(2, "a")] });
  look(organization(1, "a"));
  look(organization(1, ""));
  look({ msg: "no" });
  look(undefined);
  assert.deepEqual(said, []);
  look({ data: [organization(1, "b"), organization(2, "a")] });
  assert.equal(said.length, 1);
  assert.match(
    said[0]!,
    /^The public key of organization 1 "o1" is sha256:\w+ now, and was sha256:/,
  );
});

Deno.test("the API's client remembers keys for all callers that it was made for", async () => {
  let key = "a";
  const server = Deno.serve(
    { port: freePort(), hostname: "127.0.0.1", onListen: () => {} },
    () => Response.json(organization(3, key)),
  );
  const said: string[] = [];
  const client = createApiClient(`http://127.0.0.1:${server.addr.port}`, {
    say: (line) => void said.push(line),
  });
  await client.get("/organization/3");
  key = "b";
  await client.as("token").get("/organization/3");
  await client.get("/user/3");
  assert.equal(said.length, 1);
  await server.shutdown();
});
