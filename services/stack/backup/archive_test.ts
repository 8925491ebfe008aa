import assert from "node:assert/strict";
import { packTar } from "modern-tar";
import { createArchive, readArchive } from "./archive.ts";
import { decrypt, encrypt } from "./encryption.ts";
import type { Manifest } from "./manifest.ts";

const AT = new Date("2030-01-01T00:00:00.000Z");
const ABOUT = {
  sextant: "1",
  made_at: AT.toISOString(),
  postgres: "15",
  migrations: { identity: [], collaboration: [], task: [] },
};
const bytes = (text: string) => new TextEncoder().encode(text);

async function archive(parts: Record<string, string>): Promise<Uint8Array> {
  const { content, add, finish } = createArchive(() => AT);
  const read = new Response(content as BodyInit).bytes();
  for (const [name, text] of Object.entries(parts)) await add(name, bytes(text));
  await finish(ABOUT);
  return await read;
}

async function read(content: Uint8Array): Promise<{ parts: string[]; manifest: Manifest }> {
  const parts: string[] = [];
  const manifest = await readArchive(
    ReadableStream.from([content]),
    (name, part) => void parts.push(`${name}: ${new TextDecoder().decode(part)}`),
  );
  return { parts, manifest };
}

Deno.test("an archive is read as it was written, with what it says of itself", async () => {
  const { parts, manifest } = await read(await archive({ "keys/a": "1", "empty": "", "b": "22" }));
  assert.deepEqual(parts, ["keys/a: 1", "empty: ", "b: 22"]);
  assert.deepEqual(manifest.parts.map(({ bytes }) => bytes), [1, 0, 2]);
  assert.equal(manifest.made_at, ABOUT.made_at);
});

Deno.test("an archive with a part changed, cut anywhere, or with a part too many is refused", async () => {
  const whole = await archive({ one: "of some length", other: "x".repeat(2000) });
  for (const at of [515, 1700]) {
    const changed = whole.slice();
    changed[at - 1]! ^= 1;
    changed[at]! ^= 1;
    await assert.rejects(read(changed), /Cannot use the backup: /, `byte ${at}`);
  }
  for (const length of [0, 100, 700, 1536, 3000, 5000]) {
    await assert.rejects(read(whole.subarray(0, length)), /Cannot use the backup/, `${length}`);
  }
  const extra = await packTar([{ header: { name: "late", size: 1, type: "file" }, body: "x" }]);
  // Before the two empty blocks at the end.
  const end = whole.length - 1024;
  const longer = new Uint8Array(end + extra.length);
  longer.set(whole.subarray(0, end));
  longer.set(extra, end);
  await assert.rejects(read(longer), /late comes after the manifest/);
  const upwards = await archive({ "../up": "x" });
  await assert.rejects(read(upwards), /Cannot use the backup: /);
});

Deno.test("an encrypted archive opens with its passphrase alone, and not when it was changed", async () => {
  const lock = { recipients: [], passphrase: "correct horse" };
  const content = await encrypt(ReadableStream.from([await archive({ one: "1" })]), lock);
  const encrypted = await new Response(content as BodyInit).bytes();
  const open = async (stored: Uint8Array, passphrase?: string) =>
    await new Response(
      await decrypt(ReadableStream.from([stored]), { identities: [], passphrase }) as BodyInit,
    ).bytes();
  assert.deepEqual((await read(await open(encrypted, "correct horse"))).parts, ["one: 1"]);
  await assert.rejects(open(encrypted), /it is encrypted\. Give the file/);
  await assert.rejects(open(encrypted, "wrong"), /what was given does not open it/);
  encrypted[encrypted.length - 20]! ^= 1;
  await assert.rejects(open(encrypted, "correct horse"));
});
