/**
 * Beyond v6's API: which formats of encrypted payloads the nodes of a collaboration read.
 * @module
 */
import { z } from "zod";
import { queryId } from "./fields.ts";
import { reference } from "./references.ts";

export const payloadFormatList = z.object({ organization_id: queryId.optional() });

export const payloadFormats = z.object({
  data: z.array(z.object({
    organization: reference,
    payload_formats: z.array(z.string()),
  })),
}).meta({ id: "PayloadFormats" });
