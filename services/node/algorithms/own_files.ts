/**
 * What the single files that come with the node let out, which do not say it themselves: they are the
 * shortest examples of an algorithm.
 * @module
 */
import { fileURLToPath } from "node:url";
import { sha256Hex } from "../../../shared/service/digest.ts";
import type { Method } from "./sextant/description.ts";

/** What the exit has to know of a method. */
export type MethodOutputs = Pick<Method, "outputs" | "rows">;

const OWN_FILES: Readonly<Record<string, Readonly<Record<string, MethodOutputs>>>> = {
  "average@1.0.0": {
    central: { rows: "none", outputs: [] },
    partial: {
      outputs: [
        { name: "sum", kind: "moments", help: "Of the values", restsOn: "count" },
        { name: "count", kind: "count", help: "Rows that have a value" },
        { name: "missing", kind: "count", help: "Rows that have none" },
      ],
    },
  },
  "linear_regression@1.0.0": {
    central: { rows: "none", outputs: [] },
    partial: {
      outputs: [
        { name: "n", kind: "count", help: "Rows in which nothing is missing" },
        { name: "dropped", kind: "count", help: "Rows left out" },
        { name: "centre", kind: "model", help: "Means of the columns", restsOn: "n" },
        {
          name: "triangle",
          kind: "model",
          help: "Whose products are the sums of products of the rows",
          restsOn: "n",
          terms: "centre",
        },
      ],
    },
  },
};

let byCode: Promise<Map<string, Readonly<Record<string, MethodOutputs>>>> | undefined;

/** The methods of the file that comes with the node and has this digest (`sha256:…`), if one has. */
export async function ownFile(
  code: string,
): Promise<Readonly<Record<string, MethodOutputs>> | undefined> {
  return (await (byCode ??= readDigests())).get(code);
}

async function readDigests() {
  return new Map(
    await Promise.all(
      Object.entries(OWN_FILES).map(async ([name, methods]) => {
        const path = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
        return [`sha256:${await sha256Hex(await Deno.readFile(path))}`, methods] as const;
      }),
    ),
  );
}
