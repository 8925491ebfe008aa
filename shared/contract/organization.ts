/**
 * The Organization as the API shows it (contract §3.1).
 * @module
 */
import { z } from "zod";
import { link } from "./references.ts";

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
