import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { createHub } from "../hub/hub.ts";
import { createFormatChoice, FormatError, type FormatSetting } from "./formats.ts";
import { newPrivateKey, publicKeyText, readPrivateKey } from "./keys.ts";
import { createEncryptedPayloads } from "./payloads.ts";

const pem = await newPrivateKey(2048);
const privateKey = readPrivateKey(pem);

interface Double {
  /** What the hub says that the nodes of organizations read; `undefined`: it does not know the question. */
  told: Record<number, string[]> | undefined;
  /** How often it was asked. */
  asked: number;
  format: (setting: FormatSetting, organization: number) => Promise<string>;
  payloads: (setting: FormatSetting) => ReturnType<typeof createEncryptedPayloads>;
}

async function withHub(use: (double: Double) => Promise<void>): Promise<void> {
  const claims = new TextEncoder().encode('{"sub":1,"exp":4000000000}').toBase64();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      await request.body?.cancel();
      const path = request.url.split("/api")[1]!;
      if (path === "/token/node") return Response.json({ access_token: `e30.${claims}.x` });
      if (path.startsWith("/organization/")) {
        return Response.json({ name: "Alpha", public_key: publicKeyText(privateKey) });
      }
      const [, id] = /^\/collaboration\/2\/payload_formats\?organization_id=(\d+)$/.exec(path)!;
      double.asked++;
      if (!double.told) return Response.json({ msg: "There is no such path." }, { status: 404 });
      const payload_formats = double.told[Number(id)];
      return Response.json({ data: payload_formats ? [{ payload_formats }] : [] });
    },
  );
  const api = `http://127.0.0.1:${server.addr.port}/api`;
  const hub = createHub({ api, apiKey: "k", payloadFormats: [], log: silentLogger });
  const { signal } = new AbortController();
  const choice = (betweenNodes: FormatSetting) =>
    createFormatChoice({ hub, collaborationId: 2, betweenNodes, signal });
  const double: Double = {
    told: { 3: ["field", "authenticated"], 4: ["field"], 5: [], 6: ["later"] },
    asked: 0,
    format: (setting, organization) => choice(setting)(organization),
    payloads: (setting) =>
      createEncryptedPayloads({
        hub,
        privateKey,
        formatFor: choice(setting),
        checkKey: () => Promise.resolve(),
        signal,
      }),
  };
  try {
    await use(double);
  } finally {
    await server.shutdown();
  }
}

Deno.test("the format between nodes is what the reader has told, else v6's", async () => {
  await withHub(async (hub) => {
    const chosen = [3, 4, 5, 6, 7].map((organization) => hub.format("announced", organization));
    assert.deepEqual(await Promise.all(chosen), [
      "authenticated",
      "field",
      "field",
      "field",
      "field",
    ]);
    hub.told = undefined;
    assert.equal(await hub.format("announced", 3), "field", "a hub of an earlier version");
    const before = hub.asked;
    assert.equal(await hub.format("field", 3), "field");
    assert.equal(hub.asked, before, "who wants v6's format need not ask");
  });
});

Deno.test("who insists on the authenticated format writes nothing else, whatever the hub holds back", async () => {
  await withHub(async (hub) => {
    assert.equal(await hub.format("authenticated", 3), "authenticated");
    const refused = (error: unknown) =>
      error instanceof FormatError && /set between_nodes to announced/.test(error.message);
    for (const organization of [4, 5, 6, 7]) {
      await assert.rejects(hub.format("authenticated", organization), refused);
    }
    for (const told of [{}, undefined]) {
      hub.told = told;
      await assert.rejects(hub.format("authenticated", 3), refused);
      const payloads = hub.payloads("authenticated");
      await assert.rejects(payloads.encode(btoa("{}"), 3), refused);
      await assert.rejects(payloads.seal(3, "node"), refused);
    }
  });
});

Deno.test("results for people's programs stay in v6's format", async () => {
  await withHub(async (hub) => {
    for (const setting of ["announced", "authenticated"] as const) {
      const { seal, encode, decode } = hub.payloads(setting);
      const marked = (text: string) => /^c2V4dGFudD[E-H]/.test(text);
      assert.equal(marked((await seal(3, "program"))!.header), false);
      assert.equal(marked((await seal(3, "node"))!.header), true);
      const input = await encode(btoa('{"a":1}'), 3);
      assert.equal(marked(input), true);
      assert.equal(await decode(input), btoa('{"a":1}'));
    }
    assert.equal(hub.asked, 4);
  });
});
