/**
 * Payloads of an encrypted collaboration as the nodes of its organizations read and write them,
 * without a hub: every organization has one key here.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import { fingerprintOf } from "../../shared/contract/public_key.ts";
import { joined, type Seal } from "../../shared/payload/form.ts";
import type { FormatSetting } from "../../services/node/encryption/formats.ts";
import { newPrivateKey, readPrivateKey } from "../../services/node/encryption/keys.ts";
import type { Label } from "../../shared/payload/label.ts";
import {
  createEncryptedPayloads,
  type EncryptedPayloadsOptions,
  type Payloads,
  type RunPlace,
} from "../../services/node/encryption/payloads.ts";
import { createSeal, type Format } from "../../services/node/encryption/sealed.ts";
import { createSignedSeal } from "../../services/node/encryption/signed.ts";

export const COLLABORATION = 2;

/** The private keys of organizations 3, 4 and 5. */
export const KEYS: Readonly<Record<number, KeyObject>> = Object.fromEntries(
  await Promise.all(
    [3, 4, 5].map(async (id) => [id, readPrivateKey(await newPrivateKey(2048))] as const),
  ),
);

export const publicKeyOfOrganization = (id: number) => createPublicKey(KEYS[id]!);

export interface TestPayloads extends Payloads {
  /** What was put into the audit log. */
  audited: { event: string; [detail: string]: unknown }[];
}

/** The payloads of the node of one organization. */
export function payloadsOf(
  organizationId: number,
  { betweenNodes = "announced", format = "authenticated", ...options }: {
    betweenNodes?: FormatSetting;
    /** What the others read. */
    format?: Format;
  } & Partial<EncryptedPayloadsOptions> = {},
): TestPayloads {
  const audited: TestPayloads["audited"] = [];
  const used = new Map<string, number>();
  const payloads = createEncryptedPayloads({
    organizationId,
    collaborationId: COLLABORATION,
    privateKey: KEYS[organizationId]!,
    keys: {
      check: () => Promise.resolve(),
      ofReader: (id) => Promise.resolve(publicKeyOfOrganization(id)),
      ofSigner: (id) => Promise.resolve(publicKeyOfOrganization(id)),
    },
    betweenNodes,
    formatFor: () => Promise.resolve(format),
    used: {
      take(id, result) {
        const before = used.get(id);
        used.set(id, before ?? result);
        return Promise.resolve(before === result ? undefined : before);
      },
    },
    audit: {
      record: (event, details) => Promise.resolve(void audited.push({ event, ...details })),
    },
    ...options,
  });
  return { ...payloads, audited };
}

/** A run of task 5, in which organization 3's node computes the central part. */
export const CENTRAL: RunPlace = {
  task_id: 5,
  result_id: 11,
  attempt: 1,
  run_id: 1,
  parent_id: null,
  init_org_id: 3,
  image: "deno:average@1.0.0",
};

/** The part of its subtask, task 9, at organization 4's node. */
export const PART: RunPlace = {
  task_id: 9,
  result_id: 21,
  attempt: 1,
  run_id: 1,
  parent_id: 5,
  init_org_id: 3,
  image: "deno:average@1.0.0",
};

/** The label of organization 3's input for organization 4, in CENTRAL. */
export function inputLabel(changes: object = {}): Label {
  return {
    is: "input",
    collaboration_id: COLLABORATION,
    from: 3,
    key: fingerprintOf(publicKeyOfOrganization(3)),
    to: [4],
    run_id: 1,
    parent_id: 5,
    at: new Date().toISOString(),
    ...changes,
  } as Label;
}

/** A seal with this label, by the key of the organization that it names unless another is given. */
export function signedSeal(label: Label, writer = label.from): Seal {
  return createSignedSeal(label, {
    reader: publicKeyOfOrganization(label.to[0]!),
    writer: KEYS[writer]!,
  });
}

/** Seals in v6's format, which anybody can. */
export const unsignedSeal = (reader: number) => createSeal(publicKeyOfOrganization(reader));

/** The whole of a payload as a blob. */
export function sealBlob(content: Uint8Array, seal: Seal): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(seal.header);
  return joined(head, joined(seal.update(content), seal.final()));
}
