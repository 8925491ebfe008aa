/**
 * Which method of an algorithm a result is of. The question says it, where it can be read; where it
 * cannot, a result whose parts only one method has is of that one. Nothing else is guessed.
 * @module
 */
import type { ToldDescription } from "../../../../shared/node_protocol/description.ts";
import { isRecord } from "../read/values.ts";

/** The names of the methods that have all parts that the result has. */
export function methodsThatFit(
  value: unknown,
  description: ToldDescription | undefined,
): string[] {
  if (!isRecord(value) || !description) return [];
  const names = Object.keys(value).filter((name) => name !== "withheld");
  if (names.length === 0) return [];
  return Object.entries(description.methods)
    .filter(([, { outputs }]) =>
      names.every((name) => outputs.some((output) => output.name === name))
    )
    .map(([name]) => name);
}

export interface Asked {
  method: string;
  args: Record<string, unknown>;
}

/** What an input calls, as v6's clients and ours write it. */
export function readAsked(input: unknown): Asked | undefined {
  if (!isRecord(input) || typeof input.method !== "string") return undefined;
  return { method: input.method, args: isRecord(input.kwargs) ? input.kwargs : {} };
}
