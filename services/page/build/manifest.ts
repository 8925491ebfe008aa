import { z } from "zod";

/** What stands in a page's folder: the document, and the media type of each asset by its name. */
export const pageManifest = z.object({
  document: z.string(),
  assets: z.record(z.string(), z.string()),
});
export type PageManifest = z.infer<typeof pageManifest>;
