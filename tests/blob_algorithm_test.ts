/**
 * Algorithms whose subtasks have large inputs and results, with a hub that wants every input as a
 * blob.
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createBase64Seal } from "../services/node/encryption/base64.ts";
import {
  newPrivateKey,
  publicKeyText,
  readPrivateKey,
  readPublicKey,
} from "../services/node/encryption/keys.ts";
import { joined } from "../shared/payload/form.ts";
import { createSeal, openSealed } from "../services/node/encryption/sealed.ts";
import { startTestStack, type TestStack, waitFor } from "./harness.ts";
import { createSite, decodeResult, type Json, type Site } from "./site.ts";
import { containerTest, SHELL_IMAGE, useTestEngine } from "./support/container_engine.ts";
import { watchGrowth } from "./support/memory.ts";
import { importPythonImage, PYTHON_IMAGE, pythonTest } from "./support/python_image.ts";

const engine = useTestEngine();
let running: TestStack | undefined;
const SETTING = "SEXTANT_BLOB_STORE";

Deno.test.beforeAll(async () => {
  Deno.env.set(SETTING, "true");
  try {
    running = await startTestStack();
  } finally {
    Deno.env.delete(SETTING);
  }
});
Deno.test.afterAll(() => running?.stop());

const MIB = 2 ** 20;
/** Half of what the design promises. */
const MOST_MIB = 32;

interface Place {
  site: Site;
  key: string | undefined;
}

async function place(encrypted: boolean, image: string): Promise<Place> {
  const key = encrypted ? await newPrivateKey(2048) : undefined;
  const file = `${running!.folder}/${crypto.randomUUID()}.pem`;
  if (key) await Deno.writeTextFile(file, key, { mode: 0o600 });
  const site = await createSite(running!, {
    data: ["x\n1\n"],
    encrypted,
    node: {
      container: { socket: engine().socket },
      policies: { allowed_algorithms: [image], require_algorithm_pull: false },
      limits: { output_mib: 1024, memory_mib: 4096 },
      ...(key ? { encryption: { enabled: true, private_key: file } } : {}),
    },
  });
  await site.startNode(site.members[0]!);
  return { site, key };
}

/** Posts a task as a program of v6 does where the hub wants blobs; returns what comes of it. */
async function run({ site, key }: Place, image: string, input: unknown): Promise<Json> {
  const seal = key
    ? createSeal(readPublicKey(publicKeyText(readPrivateKey(key))))
    : createBase64Seal();
  const content = new TextEncoder().encode(JSON.stringify(input));
  const sealed = joined(seal.update(content), seal.final());
  const { access_token } = await site.researcher.post("/token/user", {
    username: site.login.username,
    password: site.login.password,
  });
  const uploaded = await fetch(`${running!.gatewayUrl}/api/blobstream`, {
    method: "POST",
    body: joined(new TextEncoder().encode(seal.header), sealed),
    headers: {
      authorization: `Bearer ${access_token}`,
      "content-type": "application/octet-stream",
    },
  });
  const task = await site.researcher.post("/task", {
    image,
    collaboration_id: site.collaborationId,
    organizations: [{ id: site.members[0]!.id, input: (await uploaded.json()).uuid }],
    databases: [{ label: "default" }],
  });
  const status = await waitFor(async () => {
    const { status } = await site.researcher.get(`/task/${task.id}/status?wait=1`);
    return ["pending", "initializing", "active"].includes(status) ? undefined : status;
  }, { what: "the task to end", timeout: 180_000 });
  const [{ log }] = (await site.researcher.get(`/run?task_id=${task.id}`)).data;
  assert.equal(status, "completed", log);
  const [{ result }] = (await site.researcher.get(`/result?task_id=${task.id}`)).data;
  const value = key
    ? JSON.parse(new TextDecoder().decode((await openSealed(result, readPrivateKey(key))).content))
    : decodeResult(result);
  return { log, value };
}

/** The digest of the JSON text of so many letters x. */
function digestOfText(letters: number): string {
  const hash = createHash("sha256").update('"');
  const piece = new TextEncoder().encode("x".repeat(2 ** 20));
  for (let left = letters; left > 0; left -= piece.length) hash.update(piece.subarray(0, left));
  return hash.update('"').digest("hex");
}

for (const encrypted of [false, true]) {
  const where = encrypted ? "in an encrypted collaboration" : "in a plain collaboration";

  // Once is enough for the time it takes; in an encrypted collaboration more is done with every
  // byte.
  const size = encrypted ? 52 * MIB : 3 * MIB;
  Deno.test(
    containerTest(`the agent does not grow with subtasks of a container ${where}`),
    async () => {
      const there = await place(encrypted, SHELL_IMAGE);
      const { node } = there.site.members[0]!;
      await run(there, SHELL_IMAGE, { method: "blobs", kwargs: { size: 2 * MIB } });
      const watch = watchGrowth(running!.part(`node ${node}`).pid);
      const { log, value } = await run(there, SHELL_IMAGE, {
        method: "blobs",
        kwargs: { size },
      });
      const growth = Math.round(watch.stop());
      assert.match(log, /enabled: {"blob_store_enabled":true}/);
      assert.match(log, /results: .*"blob_storage_used":true/);
      assert.deepEqual(value, { bytes: size + 2, sha256: digestOfText(size) }, log);
      assert.ok(growth < MOST_MIB, `the agent grew by ${growth} MiB`);
    },
  );

  Deno.test(
    pythonTest(`vantage6-algorithm-tools send and fetch large payloads ${where}`),
    async () => {
      await importPythonImage(engine());
      const there = await place(encrypted, PYTHON_IMAGE);
      const input = { method: "central_large", kwargs: { length: 1_500_000 } };
      const { log, value } = await run(there, PYTHON_IMAGE, input);
      assert.deepEqual(value, [true], log);
    },
  );
}
