/**
 * What the options of a node's configuration are made of.
 * @module
 */
import { isIP } from "node:net";
import { z } from "zod";
import { readTarget } from "../data/address.ts";

export const option = z.string({ error: "must be text" }).trim().min(1, "must not be empty");
export const count = z.number({ error: "must be a number" }).int("must be a whole number").min(
  1,
  "must be at least 1",
);

/** One value stands for a list of one. */
export function listOf<Schema extends z.ZodType>(one: Schema) {
  return z.preprocess(
    (given) => given === undefined || Array.isArray(given) ? given : [given],
    z.array(one),
  );
}

/** A host with a port. */
export const target = option.transform((text, context) => {
  const found = readTarget(text);
  if (found) return found;
  context.addIssue({
    code: "custom",
    message: "must be a host and a port, such as db.example:5432",
  });
  return z.NEVER;
});

export const domain = option.toLowerCase().regex(
  /^\.?([a-z0-9_-]+\.)*[a-z0-9_-]*[a-z_-][a-z0-9_-]*$/,
  "must be a domain such as files.example, or .example for it and all below it",
);

export const range = option.refine((text) => {
  const [address, length, more] = text.split("/");
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address!) as 0 | 4 | 6];
  if (most < 0 || more !== undefined) return false;
  return length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= most);
}, "must be an IP address or a range such as 10.1.0.0/16");

export const host = option.toLowerCase().refine(
  (text) => readTarget(text.includes(":") ? `[${text}]` : text, 1) !== undefined,
  "must be the name of a host or an IP address",
);
export const hostName = host.refine((text) => isIP(text) === 0 && text !== "localhost", {
  error: "must be a name that algorithms are to use",
});
export const port = count.max(65535, "must be a port, at most 65535");
