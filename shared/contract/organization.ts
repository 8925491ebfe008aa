/**
 * Organizations (contract §3.1): what clients send, and the Organization they are shown.
 * @module
 */
import { z } from "zod";
import { name, nullAsAbsent, queryBoolean, queryId, repeatable, text } from "./fields.ts";
import { pageQuery } from "./paging.ts";
import { isRsaPublicKey } from "../payload/rsa_public_key.ts";
import { link } from "./references.ts";

const addressLine = nullAsAbsent(text.pipe(z.string().max(128)));

/**
 * An RSA key of 16384 bits takes 3900. The key is part of every Organization, and those go from
 * service to service in messages.
 */
export const publicKeyText = text.pipe(z.string().max(4096)).refine(isBase64, "must be base64")
  .refine(
    (value) => value === "" || isRsaPublicKey(value),
    "must be base64 of an RSA public key in PEM (-----BEGIN PUBLIC KEY-----), never a private one",
  );

export const newOrganization = z.object({
  name,
  domain: addressLine,
  address1: addressLine,
  address2: addressLine,
  zipcode: addressLine,
  country: addressLine,
  public_key: nullAsAbsent(publicKeyText),
});

export const organizationChanges = newOrganization.extend({ name: nullAsAbsent(name) });

export const organizationDeletion = z.object({ delete_dependents: queryBoolean.default(false) });

export const organizationList = pageQuery.extend({
  name: text.optional(),
  country: text.optional(),
  collaboration_id: queryId.optional(),
  study_id: queryId.optional(),
  ids: repeatable(queryId).optional(),
});

export const organization = z.object({
  id: z.number().int(),
  name: z.string(),
  domain: z.string().nullable(),
  address1: z.string().nullable(),
  address2: z.string().nullable(),
  zipcode: z.string().nullable(),
  country: z.string().nullable(),
  /** Base64 of the PEM with which inputs for it are encrypted; as it was received. */
  public_key: z.string().nullable(),
  collaborations: link,
  nodes: link,
  users: link,
  tasks: link,
  runs: link,
  studies: link,
}).meta({ id: "Organization" });
export type Organization = z.infer<typeof organization>;

function isBase64(value: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value);
}
