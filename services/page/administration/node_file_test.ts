import assert from "node:assert/strict";
import { parse } from "yaml";
import { nodeFile } from "./node_file.ts";

Deno.test("nodeFile() is a configuration that begins with the hub's address, below its prefix", () => {
  const apiKey = "0f5e8a52-6a3f-4f0e-9d0c-2c1f7b7c1a01";
  const local = parse(nodeFile({ hubUrl: "http://127.0.0.1:7601", apiKey }));
  assert.deepEqual(
    [local.api_key, local.server_url, local.port, local.api_path],
    [apiKey, "http://127.0.0.1", 7601, undefined],
  );
  const front = parse(nodeFile({ hubUrl: "https://hub.example/sextant", apiKey }));
  assert.deepEqual(
    [front.server_url, front.port, front.api_path],
    ["https://hub.example", 443, "/sextant/api"],
  );
});
