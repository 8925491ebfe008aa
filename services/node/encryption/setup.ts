/**
 * Encryption at the start of the agent: whether it fits the collaboration, and the organization's public key.
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
import { publicKeyText, readPrivateKey } from "./keys.ts";
import { openKnownKeys } from "./known_keys.ts";
import { createEncryptedPayloads, type Payloads, plainPayloads } from "./payloads.ts";

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
 * key. {@linkcode checkEncryption} comes before.
 */
export async function setUpPayloads(
  { config, identity, hub, audit, log, starting, signal }: SetUpPayloadsOptions,
): Promise<Payloads> {
  if (!config.encryption) return plainPayloads;
  const privateKey = readPrivateKey(config.privateKey ?? "");
  const { betweenNodes, pinnedKeys: pinned, dataFolder: folder } = config;
  const known = await openKnownKeys({ folder, pinned, audit, log });
  // Its own, too: a hub that names another for it would be believed by everybody else.
  await known.check(identity.organization.id, createPublicKey(privateKey));
  await publishKey(privateKey, { identity, hub, audit, log, signal: starting });
  const collaborationId = identity.collaboration.id;
  const formatFor = createFormatChoice({ hub, collaborationId, betweenNodes, signal });
  return createEncryptedPayloads({
    hub,
    privateKey,
    formatFor,
    checkKey: known.check,
    signal,
  });
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
  if (known?.trim() === own) return;
  if (known) {
    await audit.record("public key changed", {
      organization_id: identity.organization.id,
      before: fingerprintOfText(known),
      fingerprint: fingerprintOf(createPublicKey(privateKey)),
      reason: "the hub's record held another key than this node's",
    });
    log.warn("The organization's record had another public key; replacing it with this node's", {
      organization_id: identity.organization.id,
    });
  }
  await hub.insist(path, schema, { method: "PATCH", body: { public_key: own }, signal });
  log.info("Told the hub the organization's public key");
}
