/**
 * What an algorithm says of itself. Its file is not trusted for that: it is asked in the sandbox.
 * @module
 */
import { basename, join } from "node:path";
import { z } from "zod";
import type { Description } from "../algorithms/sextant/description.ts";
import { callSchema } from "../run/call.ts";
import type { RunLimits } from "../run/runtime.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { descriptionSchema } from "./description_schema.ts";
import { pack, PackError } from "./pack.ts";

export interface Described {
  /** `undefined` where the algorithm has none. */
  description: Description | undefined;
  /** The functions that it exports. */
  functions: string[];
}

const described = z.object({ description: z.unknown(), functions: z.array(z.string()) });

/** Reads the description of the algorithm whose entry is `entry`. Throws a {@linkcode PackError}. */
export async function readDescription(
  entry: string,
  { sandbox, folder, limits }: {
    sandbox: Pick<Sandbox, "start">;
    folder: string;
    limits: RunLimits;
  },
): Promise<Described> {
  const { code } = await pack(
    entry,
    `import * as all from ${JSON.stringify(`./${basename(entry)}`)};
export const describe = () => ({
  description: (all as { description?: unknown }).description ?? null,
  functions: Object.entries(all).filter(([, value]) => typeof value === "function")
    .map(([name]) => name),
});`,
  );
  const path = join(folder, `${crypto.randomUUID()}.js`);
  await Deno.writeFile(path, code);
  const none = () => Promise.reject(new Error("no subtasks here"));
  const handle = await sandbox.start({
    name: `describe-${crypto.randomUUID().slice(0, 8)}`,
    algorithm: { name: basename(entry).replace(/\.m?ts$/, ".js"), path },
    input: callSchema.parse({ method: "describe" }),
    databases: [],
    place: {
      organization: { id: 1, name: "nobody" },
      node: { id: 1, name: "none" },
      task: { id: 1, runId: 1 },
      settings: {},
    },
    limits,
    onLog() {},
    client: { organizations: none, createTask: none, results: none },
  });
  const { result, reason, release } = await handle.done;
  if (!result) throw new PackError(reason ?? "The algorithm cannot be loaded.");
  const answer = described.parse(JSON.parse(await Deno.readTextFile(result.path)));
  await release?.();
  if (answer.description === null) return { functions: answer.functions, description: undefined };
  const parsed = descriptionSchema.safeParse(answer.description, { reportInput: true });
  if (!parsed.success) {
    throw new PackError(`Its description is wrong:\n${z.prettifyError(parsed.error)}`);
  }
  return { functions: answer.functions, description: parsed.data as Description };
}
