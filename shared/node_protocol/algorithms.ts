/**
 * Which algorithms may run at a node, as its agent tells the hub, with what they say of themselves.
 *
 * A node is believed for itself alone: what it tells is shown as its own word, under the digest
 * that it names, beside what others tell of the same name.
 * @module
 */
import { z } from "zod";
import { toldDescription } from "./description.ts";
import { codeText } from "./values.ts";

/** The hub takes no more than so many of a node, and no more than so many bytes of JSON. */
export const MOST_ALGORITHMS = 500;
export const MOST_ALGORITHM_BYTES = 4 * 2 ** 20;

/** The digest at the end of an algorithm's address; `undefined` where it has none. */
function digestIn(image: string): string | undefined {
  const [, digest] = /#sha256=([0-9a-f]{64})$/i.exec(image) ?? [];
  return digest && `sha256:${digest.toLowerCase()}`;
}

export const toldAlgorithm = z.object({
  /** As tasks name it: `deno:<name>@<version>`, or an address with its digest. */
  image: z.string().max(1024).regex(/^deno:[!-~]+$/, "must be a reference that begins with deno:"),
  /** Of the file that runs under that name. */
  digest: codeText,
  /** Null for an algorithm that says nothing of itself. */
  description: toldDescription.nullable(),
  /** What the owner lets others call. */
  methods: z.array(z.string().min(1).max(100).regex(/^[\p{L}\p{N}_$]+$/u, "must be a name"))
    .max(200),
}).refine(({ image, digest }) => digestIn(image) === undefined || digestIn(image) === digest, {
  error: "must be the one in the image's address",
  path: ["digest"],
});
export type ToldAlgorithm = z.infer<typeof toldAlgorithm>;

export const toldAlgorithms = z.object({
  algorithms: z.array(toldAlgorithm).max(MOST_ALGORITHMS).refine(
    (all) => new Set(all.map(({ image }) => image)).size === all.length,
    "must name each algorithm once",
  ),
});
export type ToldAlgorithms = z.infer<typeof toldAlgorithms>;
