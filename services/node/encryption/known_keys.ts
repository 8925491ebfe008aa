/**
 * The public keys of organizations that this node has seen: whoever can change a key in the hub's
 * record reads all that is encrypted for that organization from then on, and signs as it. So the
 * first key that is seen stays the only one until the owner says otherwise: by pinning one in
 * node.yaml, or by `deno task node accept-key`.
 * @module
 */
import type { KeyObject } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import type { Logger } from "../../../shared/service/log.ts";
import { createTurns } from "../../../shared/service/turns.ts";
import type { AuditLog } from "../record/audit_log.ts";
import { replaceFile } from "../record/data_folder.ts";
import { KeyError } from "./keys.ts";

/** The file in the node's data folder that the agent writes. */
export const KNOWN_KEYS_FILE = "known_keys.json";
/** The file beside it that `accept-key` writes, so that neither undoes what the other does. */
export const ACCEPTED_KEYS_FILE = "accepted_keys.json";

export interface KnownKeys {
  /**
   * Before a key is used for an organization: notes it when it is the first one, and throws a
   * {@linkcode KeyError} when it is another than before, or than the one that is pinned.
   */
  check(organizationId: number, key: KeyObject): Promise<void>;
  /** Notes the key of this node's own organization, as the owner has given it. */
  noteOwn(organizationId: number, key: KeyObject): Promise<void>;
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
  const seen = await readKeys(path);
  const inTurn = createTurns(1);

  async function keep(organizationId: number, fingerprint: string): Promise<void> {
    seen[organizationId] = fingerprint;
    await replaceFile(path, JSON.stringify(seen, null, 2) + "\n");
  }

  async function refuse(
    about: { organization_id: number; fingerprint: string },
    reason: string,
    advice: string,
  ): Promise<never> {
    await audit.record("public key refused", { ...about, reason });
    log.warn(`A public key is refused: ${reason}`, about);
    throw new KeyError(
      `The hub says that the public key of organization ${about.organization_id} is ` +
        `${about.fingerprint}, but ${reason}: it is not used. ${advice}`,
    );
  }

  async function note(organizationId: number, fingerprint: string): Promise<void> {
    const about = { organization_id: organizationId, fingerprint };
    const wanted = pinned[organizationId];
    const before = seen[organizationId];
    if (wanted !== undefined && wanted !== fingerprint) {
      return await refuse(
        about,
        `this node's owner has pinned ${wanted}`,
        "The owner may change encryption.pinned_keys in node.yaml.",
      );
    }
    if (before === fingerprint) return;
    if (before === undefined) {
      await audit.record("public key seen", about);
      log.info("An organization's public key is seen for the first time", about);
      return await keep(organizationId, fingerprint);
    }
    const accepted = await readKeys(join(folder, ACCEPTED_KEYS_FILE));
    if (wanted !== fingerprint && accepted[organizationId] !== fingerprint) {
      return await refuse(
        about,
        `it was ${before} before`,
        "Whoever changes it reads what is meant for that organization. When people there say that " +
          "they have changed it, the node's owner accepts the new one: deno task node accept-key " +
          `--config node.yaml --organization ${organizationId} --key ${fingerprint}`,
      );
    }
    await audit.record("public key accepted", { ...about, before });
    log.warn("An organization's public key is another one than before; the owner has accepted it", {
      ...about,
      before,
    });
    await keep(organizationId, fingerprint);
  }

  return {
    check: (organizationId, key) => inTurn(() => note(organizationId, fingerprintOf(key))),
    noteOwn: (organizationId, key) =>
      inTurn(async () => {
        const fingerprint = fingerprintOf(key);
        const before = seen[organizationId];
        if (before === fingerprint) return;
        const about = { organization_id: organizationId, fingerprint, own: true };
        if (before === undefined) await audit.record("public key seen", about);
        else await audit.record("public key accepted", { ...about, before });
        await keep(organizationId, fingerprint);
      }),
  };
}

/** What `accept-key` does: the running agent sees it the next time it meets the key. */
export async function acceptKey(
  folder: string,
  { organizationId, fingerprint }: { organizationId: number; fingerprint: string },
): Promise<{ before: string | undefined }> {
  const path = join(folder, ACCEPTED_KEYS_FILE);
  const accepted = { ...await readKeys(path), [organizationId]: fingerprint };
  await replaceFile(path, JSON.stringify(accepted, null, 2) + "\n");
  return { before: (await readKeys(join(folder, KNOWN_KEYS_FILE)))[organizationId] };
}

async function readKeys(path: string): Promise<Record<string, string>> {
  try {
    return fileSchema.parse(JSON.parse(await Deno.readTextFile(path)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw new KeyError(
      `Cannot read ${path}, where public keys are kept. Mend it, or move it away: ` +
        "every key then counts as new.",
      { cause: error },
    );
  }
}
