import assert from "node:assert/strict";
import { silentLogger } from "../../../shared/service/log.ts";
import { createHub } from "../hub/hub.ts";
import { createFormatChoice, FormatError, type FormatSetting } from "./formats.ts";
import { CENTRAL, PART, payloadsOf } from "../../../tests/support/payloads.ts";
import { createCorrespondence } from "../subtasks/correspondence.ts";
import { beginsSigned } from "../../../shared/payload/form.ts";
import type { Payloads } from "./payloads.ts";

interface Double {
  /**
   * What the hub says that the nodes of organizations read; `undefined`: it does not know the
   * question.
   */
  told: Record<number, string[]> | undefined;
  /** How often it was asked. */
  asked: number;
  format: (setting: FormatSetting, organization: number) => Promise<string>;
  payloads: (setting: FormatSetting) => Payloads;
}

async function withHub(use: (double: Double) => Promise<void>): Promise<void> {
  const claims = new TextEncoder().encode('{"sub":1,"exp":4000000000}').toBase64();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      await request.body?.cancel();
      const path = request.url.split("/api")[1]!;
      if (path === "/token/node") return Response.json({ access_token: `e30.${claims}.x` });
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
    told: {
      3: ["field", "authenticated2"],
      4: ["field"],
      5: ["field", "authenticated"],
      6: ["later"],
    },
    asked: 0,
    format: (setting, organization) => choice(setting)(organization),
    payloads: (setting) => payloadsOf(4, { betweenNodes: setting, formatFor: choice(setting) }),
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
      const codec = payloads.codecOf(CENTRAL, createCorrespondence());
      await assert.rejects(codec.encode(btoa("{}"), 3), refused);
      await assert.rejects(payloads.seal(PART, { id: "a".repeat(64), signed: false }), refused);
    }
  });
});

Deno.test("results for people's programs stay in v6's format", async () => {
  await withHub(async (hub) => {
    for (const setting of ["announced", "authenticated"] as const) {
      const { seal, codecOf } = hub.payloads(setting);
      const input = { id: "a".repeat(64), signed: false };
      assert.equal(beginsSigned((await seal(CENTRAL, input))!.header), false);
      assert.equal(beginsSigned((await seal(PART, input))!.header), true);
      const { encode } = codecOf(CENTRAL, createCorrespondence());
      assert.equal(beginsSigned(await encode(btoa('{"a":1}'), 3)), true);
    }
    assert.equal(hub.asked, 4);
  });
});

Deno.test("who has signed an input gets a signed result, whatever the hub says that it reads", async () => {
  await withHub(async (hub) => {
    hub.told = {};
    for (const setting of ["announced", "authenticated", "field"] as const) {
      const seal = await hub.payloads(setting).seal(PART, { id: "a".repeat(64), signed: true });
      assert.equal(beginsSigned(seal!.header), true);
    }
    assert.equal(hub.asked, 0);
  });
});
