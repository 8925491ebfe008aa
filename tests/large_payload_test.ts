/**
 * Large results and inputs at the node: whatever their size, the agent's memory stays as it is.
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createBase64Opener, createBase64Seal } from "../services/node/encryption/base64.ts";
import {
  newPrivateKey,
  publicKeyText,
  readPrivateKey,
  readPublicKey,
} from "../services/node/encryption/keys.ts";
import { openPieces, sealPieces } from "../services/node/encryption/opening.ts";
import type { Opener } from "../shared/payload/form.ts";
import {
  createBlobOpener,
  createSeal,
  openSealed,
  sealText,
} from "../services/node/encryption/sealed.ts";
import { collect, piecesOf } from "../services/node/payload/pieces.ts";
import { useTestStack, waitFor } from "./harness.ts";
import { createSite, encodeInput, type Json, type Member, type Site } from "./site.ts";
import { containerTest, SHELL_IMAGE, useTestEngine } from "./support/container_engine.ts";
import { watchGrowth } from "./support/memory.ts";

const stack = useTestStack();
const engine = useTestEngine();
const MIB = 2 ** 20;
/** More than the agent may grow by, so that it is seen when it holds one whole. */
const SIZE = 52 * MIB;
/** Half of what the design promises. */
const MOST_MIB = 32;
const SANDBOX = "deno:slow@1.0.0";
const encoder = new TextEncoder();

interface Place {
  site: Site;
  member: Member;
  key: string | undefined;
}

async function place(encrypted: boolean): Promise<Place> {
  const key = encrypted ? await newPrivateKey(2048) : undefined;
  const file = `${stack().folder}/${crypto.randomUUID()}.pem`;
  if (key) await Deno.writeTextFile(file, key, { mode: 0o600 });
  const site = await createSite(stack(), {
    data: ["x\n1\n"],
    encrypted,
    node: {
      container: { socket: engine().socket },
      policies: { allowed_algorithms: [SHELL_IMAGE, SANDBOX], require_algorithm_pull: false },
      limits: { output_mib: 3072, memory_mib: 4096 },
      ...(key ? { encryption: { enabled: true, private_key: file } } : {}),
    },
  });
  const member = site.members[0]!;
  await site.startNode(member);
  return { site, member, key };
}

const agentOf = ({ member }: Place) => stack().part(`node ${member.node}`).pid;

function encode(
  input: { method: string; kwargs?: Record<string, unknown> },
  { key }: Place,
): string {
  if (!key) return encodeInput(input);
  const publicKey = readPublicKey(publicKeyText(readPrivateKey(key)));
  return sealText(encoder.encode(JSON.stringify(input)), createSeal(publicKey));
}

async function run(place: Place, image: string, input: string): Promise<Json> {
  const { site: { researcher, collaborationId }, member } = place;
  const task = await researcher.post("/task", {
    image,
    collaboration_id: collaborationId,
    organizations: [{ id: member.id, input }],
    databases: [{ label: "default" }],
  });
  const status = await waitFor(async () => {
    const { status } = await researcher.get(`/task/${task.id}/status?wait=1`);
    return ["pending", "initializing", "active"].includes(status) ? undefined : status;
  }, { what: "the task to end", timeout: 300_000 });
  const [run] = (await researcher.get(`/run?task_id=${task.id}`)).data;
  const [result] = (await researcher.get(`/result?task_id=${task.id}`)).data;
  return { status, log: run.log, started: run.started_at, finished: run.finished_at, ...result };
}

/** The size and the digest of what a blob opens to. */
async function openBlob({ site, key }: Place, uuid: string) {
  const response = await site.researcher.request("GET", `/blobstream/${uuid}`);
  const opener: Opener = key ? createBlobOpener(readPrivateKey(key)) : createBase64Opener();
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of openPieces(piecesOf(response.body), opener)) {
    hash.update(piece);
    size += piece.length;
  }
  return { size, sha256: hash.digest("hex") };
}

/** The digest of the JSON text of so many letters x. */
function digestOfText(letters: number): string {
  const hash = createHash("sha256").update('"');
  const piece = encoder.encode("x".repeat(MIB));
  for (let left = letters; left > 0; left -= piece.length) hash.update(piece.subarray(0, left));
  return hash.update('"').digest("hex");
}

for (const encrypted of [false, true]) {
  const where = encrypted ? "in an encrypted collaboration" : "in a plain collaboration";
  for (const [kind, image] of [["container", SHELL_IMAGE], ["sandbox", SANDBOX]] as const) {
    Deno.test(
      containerTest(`the agent does not grow with a result of a ${kind} ${where}`),
      async () => {
        const there = await place(encrypted);
        const input = (length: number) =>
          image === SANDBOX
            ? encode({ method: "text", kwargs: { length } }, there)
            : encode({ method: "big", kwargs: { bytes: length } }, there);
        // Once, so that what is loaded and compiled is not counted.
        await run(there, image, input(2 * MIB));
        const watch = watchGrowth(agentOf(there));
        const { status, log, result, blob_storage_used } = await run(there, image, input(SIZE));
        const growth = Math.round(watch.stop());
        assert.equal(status, "completed", log);
        assert.equal(blob_storage_used, true);
        assert.deepEqual(await openBlob(there, result), {
          size: SIZE + 2,
          sha256: digestOfText(SIZE),
        });
        assert.ok(growth < MOST_MIB, `the agent grew by ${growth} MiB`);
      },
    );
  }
}

/** An input of `size` bytes, as the blob that a researcher's program makes of it. */
async function uploadInput(
  { site, key }: Place,
  { method, kwargs = {}, size }: { method: string; kwargs?: Record<string, unknown>; size: number },
): Promise<string> {
  const [head, tail] = JSON.stringify({ method, kwargs: { ...kwargs, ignored: "!" } }).split("!");
  async function* content() {
    yield encoder.encode(head);
    const piece = encoder.encode("y".repeat(MIB));
    for (let left = size - head!.length - tail!.length; left > 0; left -= piece.length) {
      yield piece.slice(0, left);
    }
    yield encoder.encode(tail);
  }
  const seal = key
    ? createSeal(readPublicKey(publicKeyText(readPrivateKey(key))))
    : createBase64Seal();
  const body = await collect(sealPieces(content(), seal));
  const { username, password } = site.login;
  const { access_token } = await site.researcher.post("/token/user", { username, password });
  const response = await fetch(`${stack().gatewayUrl}/api/blobstream`, {
    method: "POST",
    body,
    headers: {
      authorization: `Bearer ${access_token}`,
      "content-type": "application/octet-stream",
    },
  });
  return (await response.json()).uuid;
}

Deno.test(
  containerTest("the agent does not grow with an input in an encrypted collaboration"),
  async () => {
    const there = await place(true);
    const asked = {
      container: { method: "size" },
      sandbox: { method: "text", kwargs: { length: 3 } },
    };
    const images = { container: SHELL_IMAGE, sandbox: SANDBOX };
    for (const kind of ["container", "sandbox"] as const) {
      const input = (size: number) => uploadInput(there, { ...asked[kind], size });
      await run(there, images[kind], await input(9 * MIB));
      const uuid = await input(SIZE);
      const watch = watchGrowth(agentOf(there));
      const { status, log, result } = await run(there, images[kind], uuid);
      const growth = Math.round(watch.stop());
      assert.equal(status, "completed", log);
      const bytes = there.key
        ? (await openSealed(result, readPrivateKey(there.key))).content
        : Uint8Array.fromBase64(result);
      assert.equal(new TextDecoder().decode(bytes).trim(), kind === "sandbox" ? '"xxx"' : "100000");
      if (kind === "container") assert.match(log, new RegExp(`^${SIZE}$`, "m"));
      assert.ok(growth < MOST_MIB, `the agent grew by ${growth} MiB for a ${kind}`);
    }
  },
);
