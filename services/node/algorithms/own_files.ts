/**
 * The algorithms that come with the node as single files: the shortest examples of one.
 * @module
 */
import { fileURLToPath } from "node:url";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { description as average } from "./average@1.0.0.ts";
import { description as linearRegression } from "./linear_regression@1.0.0.ts";
import type { Description } from "./sextant/description.ts";

const OWN_FILES: readonly Description[] = [average, linearRegression];

let byCode: Promise<Map<string, Description>> | undefined;

/** What the file says of itself that comes with the node and has this digest (`sha256:…`). */
export async function ownFile(code: string): Promise<Description | undefined> {
  return (await (byCode ??= readDigests())).get(code);
}

async function readDigests() {
  return new Map(
    await Promise.all(OWN_FILES.map(async (description) => {
      const file = `./${description.name}@${description.version}.ts`;
      const path = fileURLToPath(new URL(file, import.meta.url));
      return [`sha256:${await sha256Hex(await Deno.readFile(path))}`, description] as const;
    })),
  );
}
