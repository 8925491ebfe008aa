/**
 * The public keys of organizations that this node has seen: whoever can change a key in the hub's
 * record reads all that is encrypted for that organization from then on, so a change is told, and
 * where the owner has pinned a key, nothing is encrypted with another one.
 * @module
 */
import type { KeyObject } from "node:crypto";
import { dirname, join } from "node:path";
import { z } from "zod";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import type { AuditLog } from "../record/audit_log.ts";
import { syncFolder } from "../record/data_folder.ts";
import { KeyError } from "./keys.ts";

/** The file in the node's data folder. */
export const KNOWN_KEYS_FILE = "known_keys.json";

export interface KnownKeys {
  /**
   * Before something is encrypted for an organization: notes its key when it is the first one, says
   * so when it is another than before, and throws a {@linkcode KeyError} when another one is pinned.
   */
  check(organizationId: number, key: KeyObject): Promise<void>;
}

export interface KnownKeysOptions {
  folder: string;
  /** Fingerprints by organization, as node.yaml has them. */
  pinned: Readonly<Record<string, string>>;
  audit: Pick<AuditLog, "record">;
  log: Logger;
}

const fileSchema = z.record(z.string(), z.string());

/** Reads what was seen before. Throws when the file is there and cannot be read. */
export async function openKnownKeys(
  { folder, pinned, audit, log }: KnownKeysOptions,
): Promise<KnownKeys> {
  const path = join(folder, KNOWN_KEYS_FILE);
  const seen = await readSeen(path);
  const inTurn = createTurns(1);

  async function note(organizationId: number, fingerprint: string): Promise<void> {
    const before = seen[organizationId];
    if (before === fingerprint) return;
    const about = { organization_id: organizationId, fingerprint };
    if (before === undefined) {
      await audit.record("public key seen", about);
      log.info("An organization's public key is seen for the first time", about);
    } else {
      await audit.record("public key changed", { ...about, before });
      log.warn(
        "An organization's public key is another one than before. If nobody there says that they " +
          "changed it, somebody reads what is meant for them; encryption.pinned_keys guards it",
        { ...about, before },
      );
    }
    seen[organizationId] = fingerprint;
    await writeWhole(path, JSON.stringify(seen, null, 2) + "\n");
  }

  return {
    async check(organizationId, key) {
      const fingerprint = fingerprintOf(key);
      await inTurn(() => note(organizationId, fingerprint));
      const wanted = pinned[organizationId];
      if (wanted === undefined || wanted === fingerprint) return;
      await audit.record("encryption refused", {
        organization_id: organizationId,
        fingerprint,
        reason: "another public key is pinned",
      });
      throw new KeyError(
        `The hub says that the public key of organization ${organizationId} is ${fingerprint}, but ` +
          `this node's owner has pinned ${wanted}: nothing is encrypted with it. The owner may ` +
          "change encryption.pinned_keys in node.yaml.",
      );
    },
  };
}

async function readSeen(path: string): Promise<Record<string, string>> {
  try {
    return fileSchema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw new KeyError(
      `Cannot read ${path}, where the public keys that were seen are kept. Mend it, or move it ` +
        "away: every key then counts as new.",
      { cause: error },
    );
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await Deno.writeTextFile(draft, text, { mode: 0o600 });
  {
    using file = await Deno.open(draft);
    await file.sync();
  }
  await Deno.rename(draft, path);
  await syncFolder(dirname(path));
}
