/**
 * How the code that ran describes itself, as nodes tell of it.
 * @module
 */
import type { Algorithm } from "../../../shared/contract/algorithm.ts";
import type { RunWithTask } from "../../../shared/contract/task.ts";
import type { ToldDescription } from "../../../shared/node_protocol/description.ts";

/**
 * By the digest of the code, where the run has told it; else where all nodes say the same of the
 * image. `undefined` where nobody does: nothing is guessed then.
 */
export function descriptionFor(
  { code }: Pick<RunWithTask, "code">,
  algorithms: readonly Pick<Algorithm, "digest" | "description">[],
): ToldDescription | undefined {
  const told = code === null ? algorithms : algorithms.filter(({ digest }) => digest === code);
  const different = new Set(told.map(({ description }) => JSON.stringify(description)));
  return different.size === 1 ? told[0]!.description ?? undefined : undefined;
}
