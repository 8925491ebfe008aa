/**
 * What a result says was withheld from it.
 * @module
 */
import { z } from "zod";
import type { Withheld } from "./pieces.ts";
import { isRecord } from "./values.ts";

const one = z.object({
  organization: z.number().int().nullish(),
  output: z.string(),
  rule: z.string(),
  values: z.number().int().min(0),
});
const said = z.array(one);
/** As algorithms pass on what each organization has said. */
const passedOn = z.array(z.object({ organization: z.number().int().nullish(), withheld: said }));

/** `undefined` where `withheld` is something else. */
export function readWithheld(result: unknown): Withheld[] | undefined {
  if (!isRecord(result) || !Array.isArray(result.withheld)) return undefined;
  const flat = said.safeParse(result.withheld);
  if (flat.success) return flat.data.map((each) => withId(each, each.organization));
  const nested = passedOn.safeParse(result.withheld);
  return nested.data?.flatMap(({ organization, withheld }) =>
    withheld.map((each) => withId(each, each.organization ?? organization))
  );
}

function withId(
  { output, rule, values }: Pick<Withheld, "output" | "rule" | "values">,
  organization: number | null | undefined,
): Withheld {
  return { organization: organization ?? null, output, rule, values };
}
