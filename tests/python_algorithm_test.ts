/**
 * An algorithm built on v6's published tools, unmodified, on the whole system.
 * @module
 */
import assert from "node:assert/strict";
import {
  newPrivateKey,
  publicKeyText,
  readPrivateKey,
  readPublicKey,
} from "../services/node/encryption/keys.ts";
import { createSeal, openSealed, sealText } from "../services/node/encryption/sealed.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, type Site } from "./site.ts";
import { useTestEngine } from "./support/container_engine.ts";
import { importPythonImage, PYTHON_IMAGE, pythonTest } from "./support/python_image.ts";

const stack = useTestStack();
const engine = useTestEngine();
const DATA = ["age,name\n20,a\n40,b\n", "age,name\n60,c\n"];
const INPUT = { method: "central", kwargs: { column: "age" } };
const EXPECTED = { average: 40, parts: 2 };

function options() {
  return {
    container: { socket: engine().socket },
    policies: { allowed_algorithms: [PYTHON_IMAGE], require_algorithm_pull: false },
  };
}

let image: Promise<void> | undefined;

async function startNodes({ members, startNode }: Site): Promise<void> {
  await (image ??= importPythonImage(engine()));
  for (const member of members) await startNode(member);
}

Deno.test(
  pythonTest("an image with vantage6-algorithm-tools computes a federated average"),
  async () => {
    const site = await createSite(stack(), { data: DATA, node: options() });
    await startNodes(site);
    const task = await site.post({ image: PYTHON_IMAGE, ...INPUT });
    const { status, runs, results } = await site.outcome(task.id, 120_000);
    assert.equal(status, "completed", JSON.stringify(runs));
    assert.deepEqual(results, [EXPECTED]);
  },
);

Deno.test(
  pythonTest("an image with vantage6-algorithm-tools does so in an encrypted collaboration"),
  async () => {
    const keys = await Promise.all(DATA.map(() => newPrivateKey(2048)));
    const files = await Promise.all(keys.map(async (key) => {
      const path = await Deno.makeTempFile({ dir: stack().folder, suffix: ".pem" });
      await Deno.writeTextFile(path, key);
      return path;
    }));
    const site = await createSite(stack(), {
      data: DATA,
      encrypted: true,
      node: (index) => ({
        ...options(),
        encryption: { enabled: true, private_key: files[index] },
      }),
    });
    await startNodes(site);
    const { researcher, collaborationId, members } = site;
    const own = readPrivateKey(keys[0]!);
    const input = new TextEncoder().encode(JSON.stringify(INPUT));
    const task = await researcher.post("/task", {
      name: "secret",
      image: PYTHON_IMAGE,
      collaboration_id: collaborationId,
      organizations: [{
        id: members[0]!.id,
        input: sealText(input, createSeal(readPublicKey(publicKeyText(own)))),
      }],
      databases: [{ label: "default" }],
    });
    const status = await waitFor(async () => {
      const { status } = await researcher.get(`/task/${task.id}/status?wait=1`);
      return ["pending", "initializing", "active"].includes(status) ? undefined : status as string;
    }, { what: "the task to end", timeout: 120_000 });
    assert.equal(status, "completed");
    const [{ result }] = (await researcher.get(`/result?task_id=${task.id}`)).data;
    const { content } = await openSealed(result, own);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(content)), EXPECTED);
  },
);
