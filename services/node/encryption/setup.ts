/**
 * Encryption at the start of the agent: whether it fits the collaboration, and the organization's
 * public key.
 * @module
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { fingerprintOf, fingerprintOfText } from "../../../shared/contract/public_key.ts";
import { ConfigError } from "../../../shared/service/config.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { NodeConfig } from "../config/config.ts";
import type { Hub, NodeIdentity } from "../hub/hub.ts";
import type { AuditLog } from "../record/audit_log.ts";
import { createFormatChoice } from "./formats.ts";
import { publicKeyText, readPrivateKey, tryKey } from "./keys.ts";
import { openKnownKeys } from "./known_keys.ts";
import { createKeysOfOthers, type KeysOfOthers } from "./keys_of_others.ts";
import { createEncryptedPayloads, createPlainPayloads, type Payloads } from "./payloads.ts";
import { openUsedInputs } from "./used_inputs.ts";

/** Throws a ConfigError when the node's setting and the collaboration's differ. */
export function checkEncryption(
  enabled: boolean,
  { name, encrypted }: NodeIdentity["collaboration"],
): void {
  if (enabled === encrypted) return;
  throw new ConfigError([
    `encryption.enabled is ${enabled} here, but the collaboration "${name}" is ` +
    `${encrypted ? "encrypted" : "not encrypted"}; the two must agree`,
  ]);
}

/** How payloads are read and written; and the keys of organizations, where they are encrypted. */
export interface PayloadSetUp {
  payloads: Payloads;
  organization: { privateKey: KeyObject; keys: KeysOfOthers } | undefined;
}

export interface SetUpPayloadsOptions {
  config: Pick<
    NodeConfig,
    "encryption" | "privateKey" | "betweenNodes" | "pinnedKeys" | "dataFolder"
  >;
  identity: NodeIdentity;
  hub: Hub;
  audit: Pick<AuditLog, "record">;
  log: Logger;
  /** Gives up starting. */
  starting: AbortSignal;
  /** Ends every later question to the hub. */
  signal: AbortSignal;
}

/**
 * How the node reads and writes payloads; sees to it that the hub has this organization's public
 * key. {@linkcode checkEncryption} comes before. Throws a ConfigError when the hub has another key,
 * which a node does not change.
 */
export async function setUpPayloads(
  { config, identity, hub, audit, log, starting, signal }: SetUpPayloadsOptions,
): Promise<PayloadSetUp> {
  if (!config.encryption) {
    return { payloads: createPlainPayloads(audit), organization: undefined };
  }
  const privateKey = readPrivateKey(config.privateKey ?? "");
  tryKey(privateKey);
  const { betweenNodes, pinnedKeys: pinned, dataFolder: folder } = config;
  const known = await openKnownKeys({ folder, pinned, audit, log });
  // Its own, too: a hub that names another for it would be believed by everybody else.
  await known.noteOwn(identity.organization.id, createPublicKey(privateKey));
  await publishKey(privateKey, { identity, hub, audit, log, signal: starting });
  const collaborationId = identity.collaboration.id;
  const formatFor = createFormatChoice({ hub, collaborationId, betweenNodes, signal });
  const keys = createKeysOfOthers({ hub, known, signal });
  const payloads = createEncryptedPayloads({
    organizationId: identity.organization.id,
    collaborationId,
    privateKey,
    keys,
    betweenNodes,
    formatFor,
    used: await openUsedInputs(folder),
    audit,
  });
  return { payloads, organization: { privateKey, keys } };
}

async function publishKey(
  privateKey: KeyObject,
  { identity, hub, audit, log, signal }: {
    identity: NodeIdentity;
    hub: Hub;
    audit: Pick<AuditLog, "record">;
    log: Logger;
    signal: AbortSignal;
  },
): Promise<void> {
  const path = `/organization/${identity.organization.id}`;
  const schema = z.object({ public_key: z.string().nullish() });
  const { public_key: known } = await hub.insist(path, schema, { signal });
  const own = publicKeyText(privateKey);
  const fingerprint = fingerprintOf(createPublicKey(privateKey));
  const atHub = known ? fingerprintOfText(known) : null;
  if (atHub === fingerprint) return;
  if (atHub !== null) {
    const { id } = identity.organization;
    await audit.record("public key refused", {
      organization_id: id,
      fingerprint: atHub,
      reason: `this node's private key is that of ${fingerprint}`,
    });
    throw new ConfigError([
      `encryption.private_key: it belongs to the public key ${fingerprint}, but the hub's record of ` +
      `this organization (${id}) has ${atHub}. Either private_key is not the organization's, or ` +
      "somebody else has set the public key: ask the organization's people. One of them, not a node, " +
      `sets another with PATCH /api/organization/${id}, "public_key": "${own}"`,
    ]);
  }
  await hub.insist(path, schema, { method: "PATCH", body: { public_key: own }, signal });
  await audit.record("public key published", {
    organization_id: identity.organization.id,
    fingerprint,
  });
  log.info("Told the hub the organization's public key");
}
