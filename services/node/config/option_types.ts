/**
 * What the options of node.yaml are made of.
 * @module
 */
import { isIP } from "node:net";
import { z } from "zod";
import { readTarget } from "../data/address.ts";

/** Makes a path of the file absolute: a relative one starts from the file's folder. */
export type AbsolutePath = (path: string) => string;

export const option = z.string({ error: "must be text" }).trim().min(1, "must not be empty");
export const flag = z.boolean("must be true or false");
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

export const variableName = z.string().regex(
  /^[A-Za-z_][A-Za-z0-9_]*$/,
  "must be the name of a variable",
);

/** Variables of an environment: their values by name. */
export function variables(name = variableName) {
  return z.record(
    name,
    z.union([z.string(), z.number(), z.boolean()], { error: "must be text or a number" })
      .transform(String),
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

export const range = option.pipe(
  z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
    error: "must be an IP address or a range such as 10.1.0.0/16",
  }),
);

export const host = option.toLowerCase().refine(
  (text) => readTarget(text.includes(":") ? `[${text}]` : text, 1) !== undefined,
  "must be the name of a host or an IP address",
);
export const hostName = host.refine((text) => isIP(text) === 0 && text !== "localhost", {
  error: "must be a name that algorithms are to use",
});
export const port = count.max(65535, "must be a port, at most 65535");
