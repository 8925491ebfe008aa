import assert from "node:assert/strict";
import { createPublicKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import { createLogger } from "../../../shared/service/log.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { AUDIT_FILE, openAuditLog } from "../record/audit_log.ts";
import { KeyError, newPrivateKey } from "./keys.ts";
import { KNOWN_KEYS_FILE, openKnownKeys } from "./known_keys.ts";

const [ONE, OTHER] = (await Promise.all([newPrivateKey(2048), newPrivateKey(2048)]))
  .map((pem) => createPublicKey(pem)) as [KeyObject, KeyObject];

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

Deno.test("a public key is noted once, and a change is told in the log and the audit log, over a restart too", () =>
  inFolder(async ({ open, audited, warnings }) => {
    const keys = await open();
    await Promise.all([keys.check(4, ONE), keys.check(4, ONE), keys.check(5, OTHER)]);
    assert.deepEqual(await audited(), ["public key seen", "public key seen"]);
    const later = await open();
    await later.check(4, ONE);
    assert.equal(warnings.length, 0);
    await later.check(4, OTHER);
    await later.check(4, OTHER);
    assert.equal((await audited()).at(-1), "public key changed");
    assert.equal(warnings.length, 1);
    assert.ok(
      warnings[0]!.includes(fingerprintOf(ONE)) && warnings[0]!.includes(fingerprintOf(OTHER)),
    );
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
    assert.deepEqual((await audited()).slice(1, 3), ["public key changed", "encryption refused"]);
  }));

Deno.test("keys that were seen and cannot be read stop the agent, rather than be forgotten", () =>
  inFolder(async ({ folder, open }) => {
    await Deno.writeTextFile(join(folder, KNOWN_KEYS_FILE), "{");
    await assert.rejects(open(), /Cannot read .*known_keys\.json/);
  }));
