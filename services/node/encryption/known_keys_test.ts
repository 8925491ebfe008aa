import assert from "node:assert/strict";
import { createPublicKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import { createLogger } from "../../../shared/service/log.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { AUDIT_FILE, openAuditLog } from "../record/audit_log.ts";
import { KeyError, newPrivateKey } from "./keys.ts";
import { acceptKey, KNOWN_KEYS_FILE, openKnownKeys } from "./known_keys.ts";

const [ONE, OTHER] = (await Promise.all([newPrivateKey(2048), newPrivateKey(2048)]))
  .map((pem) => createPublicKey(pem)) as [KeyObject, KeyObject];

const OTHERS = fingerprintOf(OTHER);

interface Place {
  folder: string;
  open(pinned?: Record<string, string>): ReturnType<typeof openKnownKeys>;
  /** The events of the audit log. */
  audited(): Promise<string[]>;
  warnings: string[];
}

async function inFolder(work: (place: Place) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  const file = join(folder.path, AUDIT_FILE);
  const audit = await openAuditLog(file);
  const warnings: string[] = [];
  const log = createLogger("node", {
    write: (line) => void (line.includes(`"warn"`) && warnings.push(line)),
  });
  try {
    await work({
      folder: folder.path,
      open: (pinned = {}) => openKnownKeys({ folder: folder.path, pinned, audit, log }),
      async audited() {
        const text = await Deno.readTextFile(file);
        return text.trim().split("\n").map((line) => JSON.parse(line).event);
      },
      warnings,
    });
  } finally {
    await audit.close();
    await folder.remove();
  }
}

Deno.test("a public key is noted once; another one is refused until the owner accepts it, over a restart too", () =>
  inFolder(async ({ folder, open, audited, warnings }) => {
    const keys = await open();
    await Promise.all([keys.check(4, ONE), keys.check(4, ONE), keys.check(5, OTHER)]);
    assert.deepEqual(await audited(), ["public key seen", "public key seen"]);
    const later = await open();
    await later.check(4, ONE);
    assert.equal(warnings.length, 0);
    const refused = (error: unknown) =>
      error instanceof KeyError &&
      error.message.includes(`accept-key --config node.yaml --organization 4 --key ${OTHERS}`);
    await assert.rejects(later.check(4, OTHER), refused);
    assert.equal((await audited()).at(-1), "public key refused");
    await assert.rejects((await open()).check(4, OTHER), refused);
    await later.check(4, ONE);
    assert.equal(warnings.length, 2);
    assert.ok(
      warnings[0]!.includes(fingerprintOf(ONE)) && warnings[0]!.includes(fingerprintOf(OTHER)),
    );
    const accepted = await acceptKey(folder, { organizationId: 4, fingerprint: OTHERS });
    assert.equal(accepted.before, fingerprintOf(ONE));
    await later.check(4, OTHER);
    assert.equal((await audited()).at(-1), "public key accepted");
    await assert.rejects(later.check(4, ONE), KeyError, "and the one before is no longer it");
    await (await open()).check(4, OTHER);
  }));

Deno.test("the key of the own organization is what the owner has given", () =>
  inFolder(async ({ open, audited }) => {
    const keys = await open();
    await keys.noteOwn(3, ONE);
    await assert.rejects(keys.check(3, OTHER), KeyError, "whatever the hub says");
    await keys.noteOwn(3, OTHER);
    await keys.check(3, OTHER);
    assert.deepEqual(await audited(), [
      "public key seen",
      "public key refused",
      "public key accepted",
    ]);
  }));

Deno.test("with a pinned key nothing is encrypted with another one", () =>
  inFolder(async ({ open, audited }) => {
    const keys = await open({ 4: fingerprintOf(ONE) });
    await keys.check(4, ONE);
    await assert.rejects(
      keys.check(4, OTHER),
      (error) => error instanceof KeyError && /has pinned sha256:/.test(error.message),
    );
    await keys.check(5, OTHER);
    // Another pin is another word of the owner.
    await (await open({ 4: OTHERS })).check(4, OTHER);
    assert.deepEqual(await audited(), [
      "public key seen",
      "public key refused",
      "public key seen",
      "public key accepted",
    ]);
  }));

Deno.test("keys that were seen and cannot be read stop the agent, rather than be forgotten", () =>
  inFolder(async ({ folder, open }) => {
    await Deno.writeTextFile(join(folder, KNOWN_KEYS_FILE), "{");
    await assert.rejects(open(), /Cannot read .*known_keys\.json/);
  }));
