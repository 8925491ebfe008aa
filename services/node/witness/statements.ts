/**
 * What this node and others state to have seen of the hub's audit record: how it is signed, and who
 * is believed.
 * @module
 */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { join } from "node:path";
import { fingerprintOf } from "../../../shared/contract/public_key.ts";
import {
  type SignedStatement,
  statementBytes,
  type WitnessStatement,
  witnessStatement,
} from "../../../shared/node_protocol/witness.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { demandPrivate } from "../../../shared/service/private_file.ts";
import type { KeysOfOthers } from "../encryption/keys_of_others.ts";
import { replaceFile } from "../record/data_folder.ts";

/** The file in the node's data folder with its own key, where its organization has none. */
export const WITNESS_KEY_FILE = "witness-key.pem";
const OWN_KEY = "ed25519:";
const SPKI = Uint8Array.fromHex("302a300506032b6570032100");
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
/** Older ones say nothing of now: the hub may have kept them. */
const GREATEST_AGE_MS = 86_400_000;

/** The organization's key, and those of others that this node has seen. */
export interface OrganizationKeys {
  privateKey: KeyObject;
  keys: Pick<KeysOfOthers, "ofSigner">;
}

export interface Statements {
  sign(statement: WitnessStatement): SignedStatement;
  /**
   * What another node states, or why it is not believed. `known` is by which key it has signed
   * before. Rejects while the hub cannot be asked for an organization's key.
   */
  read(
    other: SignedStatement & { node_id: number; organization_id: number },
    place: { collaborationId: number; known: string | undefined; now: number },
  ): Promise<Reading>;
}

export type Reading =
  | { statement: WitnessStatement }
  | { refused: string; otherKey?: boolean };

/** By the organization's key where payloads are encrypted, else by one of the node's own. */
export async function openStatements(
  folder: string,
  organization: OrganizationKeys | undefined,
): Promise<Statements> {
  const own = organization?.privateKey ?? await ownKey(join(folder, WITNESS_KEY_FILE));
  const publicKey = createPublicKey(own);
  const name = organization ? fingerprintOf(publicKey) : nameOf(publicKey);

  async function keyOf(
    { key, organization_id }: SignedStatement & { organization_id: number },
    known: string | undefined,
  ): Promise<KeyObject | { refused: string; otherKey?: boolean }> {
    if (organization) {
      // Its own key would be one that the hub has made up.
      if (key.startsWith(OWN_KEY)) return { refused: "its organization has not signed it" };
      try {
        return await organization.keys.ofSigner(organization_id, key);
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "KeyError") throw error;
        return { refused: error.message, otherKey: true };
      }
    }
    if (!key.startsWith(OWN_KEY)) return { refused: "it is signed with an organization's key" };
    if (known !== undefined && known !== key) {
      return { refused: `it is signed with ${key}, and with ${known} before`, otherKey: true };
    }
    const bytes = Uint8Array.fromBase64(key.slice(OWN_KEY.length));
    const der = new Uint8Array([...SPKI, ...bytes]);
    return createPublicKey({ key: Buffer.from(der), format: "der", type: "spki" });
  }

  return {
    sign(statement) {
      const text = JSON.stringify(statement);
      const bytes = statementBytes(text);
      const signature = organization
        ? sign("sha256", bytes, { key: own, ...PSS })
        : sign(null, bytes, own);
      return { text, key: name, signature: signature.toString("base64") };
    },
    async read(other, { collaborationId, known, now }) {
      const key = await keyOf(other, known);
      if ("refused" in key) return key;
      const signature = Buffer.from(other.signature, "base64");
      const bytes = statementBytes(other.text);
      const isSigned = organization
        ? verify("sha256", bytes, { key, ...PSS }, signature)
        : verify(null, bytes, key, signature);
      if (!isSigned) return { refused: "its signature is wrong" };
      const statement = parse(other.text);
      if (!statement) return { refused: "it has the wrong shape" };
      if (
        statement.node_id !== other.node_id ||
        statement.organization_id !== other.organization_id ||
        statement.collaboration_id !== collaborationId
      ) return { refused: "it is another node's" };
      if (Math.abs(now - Date.parse(statement.at)) > GREATEST_AGE_MS) {
        return { refused: `it is of ${statement.at}` };
      }
      return { statement };
    },
  };
}

function parse(text: string): WitnessStatement | undefined {
  try {
    return witnessStatement.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function nameOf(publicKey: KeyObject): string {
  const der = publicKey.export({ type: "spki", format: "der" });
  return OWN_KEY + der.subarray(SPKI.length).toString("base64");
}

async function ownKey(path: string): Promise<KeyObject> {
  try {
    const key = createPrivateKey(await Deno.readTextFile(path));
    demandPrivate(path);
    return key;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new Error(
        `Cannot use ${path}, with which this node signs what it has seen of the hub's record: ` +
          `${messageOf(error)}. ` +
          "Restore it, or remove it: other nodes then have to accept its next one.",
        { cause: error },
      );
    }
  }
  const { privateKey } = generateKeyPairSync("ed25519");
  await replaceFile(path, privateKey.export({ type: "pkcs8", format: "pem" }) as string);
  return privateKey;
}
