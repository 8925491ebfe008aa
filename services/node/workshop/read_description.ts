/**
 * What an algorithm that is being written says of itself.
 * @module
 */
import { basename, join } from "node:path";
import { z } from "zod";
import { writtenDescription } from "../../../shared/node_protocol/description.ts";
import type { Description } from "../algorithms/sextant/description.ts";
import { readSelf } from "../sandbox/read_self.ts";
import { pack, PackError } from "./pack.ts";
import type { Workbench } from "./workbench.ts";

export interface Described {
  /** `undefined` where the algorithm has none. */
  description: Description | undefined;
  /** The functions that it exports. */
  functions: string[];
}

/** The type that authors see, and what is checked, are one. */
const descriptionSchema = writtenDescription satisfies z.ZodType<Description, unknown>;

/**
 * Reads the description of the algorithm whose entry is `entry`. Throws a {@linkcode PackError}.
 */
export async function readDescription(
  entry: string,
  { sandbox, folder, limits }: Pick<Workbench, "sandbox" | "folder" | "limits">,
): Promise<Described> {
  const { code } = await pack(entry);
  const path = join(folder, `${crypto.randomUUID()}.js`);
  await Deno.writeFile(path, code);
  const name = basename(entry).replace(/\.m?ts$/, ".js");
  const { signal } = new AbortController();
  const { description, functions } = await readSelf({ name, path }, { sandbox, limits, signal })
    .catch((cause: Error) => {
      throw new PackError(cause.message, { cause });
    });
  if (description === null) return { functions, description: undefined };
  const parsed = descriptionSchema.safeParse(description, { reportInput: true });
  if (!parsed.success) {
    throw new PackError(`Its description is wrong:\n${z.prettifyError(parsed.error)}`);
  }
  return { functions, description: parsed.data };
}
