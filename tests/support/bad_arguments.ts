/**
 * What an algorithm says of arguments and data that it cannot use: one clear sentence for each.
 * @module
 */
import assert from "node:assert/strict";
import type { Argument, Description } from "sextant/description.ts";
import { type Algorithm, createFederation, type Federation } from "./federation.ts";

export interface BadArgumentsOptions {
  algorithm: Algorithm & { description: Description };
  /** With which `central` completes. */
  kwargs: Record<string, unknown>;
  /** The sites' files, all with a column of text. */
  files: string[];
  /** The column of text, for arguments that must name numbers. */
  text: string;
}

/** What a value of an argument can be that it must not, and what is said of it. */
function wrongValues(
  { type, optional, min, max }: Argument,
  good: unknown,
): [unknown, RegExp][] {
  const must = (values: unknown[]): [unknown, RegExp][] =>
    values.map((value) => [value, /^The argument "\w+" must be /]);
  const beyond = [
    ...min === undefined ? [] : [min - 1],
    ...max === undefined ? [] : [max + 1],
  ];
  const missing: [unknown, RegExp][] = optional
    ? []
    : [[undefined, /^The argument "\w+" is missing/]];
  switch (type) {
    case "column":
      return [...must([3, "", ["x"], {}, true]), ["nowhere", /no column "nowhere"/], ...missing];
    case "columns":
      return [
        ...must([3, "x", [], [3], ["x", "x"], {}]),
        [[...good as string[] ?? [], "nowhere"], /"nowhere"/],
        ...missing,
      ];
    case "number":
      return must(["1", [], {}, true, ...beyond]);
    case "integer":
      return must(["1", 1.5, [], {}, true, 2 ** 60, ...beyond]);
    case "text":
      return must([1, [], {}, true]);
    case "boolean":
      return must([1, "true", [], {}]);
    case "choice":
      return must(["nothing", 3, [], {}]);
    case "organizations":
      return must([1, "1", [], ["1"], [1, 1], {}]);
    case "condition":
      return [
        ...must([1, "", ["x"], {}, true]),
        ["x >", /^The condition "where" cannot be used, at character 4: /],
        ["nowhere = 1", /no column "nowhere"/],
        ["1 = 2", /^(?:No row|There are no rows: .*none that) meets the condition "where"/],
      ];
    case "list":
      return must([1, "1", {}, true]);
    case "object":
      return must([1, "1", [], true]);
  }
}

/**
 * Calls `central` with each argument in turn as it must not be, and asserts that each time it says
 * so in one sentence.
 */
export async function assertEveryBadValueIsSaid(
  { algorithm, kwargs, files, text }: BadArgumentsOptions,
): Promise<void> {
  const federation = await createFederation(files);
  const refused = async (changes: Record<string, unknown>, message: RegExp) => {
    const asked = JSON.stringify(changes);
    const found = await federation.run(algorithm, "central", { ...kwargs, ...changes }).then(
      () => assert.fail(`completed with ${asked}`),
      (error: Error) => error.message,
    );
    assertSentence(found);
    assert.match(found, message, asked);
  };
  await federation.run(algorithm, "central", kwargs);
  const described = algorithm.description.methods.central!.arguments;
  for (const [name, argument] of Object.entries(described)) {
    for (const [value, message] of wrongValues(argument, kwargs[name])) {
      await refused({ [name]: value }, message);
    }
    if (argument.columnType === "number") {
      const value = argument.type === "columns" ? [...kwargs[name] as string[], text] : text;
      await refused({ [name]: value }, new RegExp(`column "${text}".* (not numeric|numbers)`));
    }
  }
  await refused({ nosuch: 1 }, /^The method "central" has no argument "nosuch"; it has: /);
}

/** One sentence that a researcher can read, without what only programs say. */
export function assertSentence(text: string): void {
  assert.match(text, /^["A-Z0-9][^\n]*[.]$/, "one sentence");
  assert.ok(text.length < 400, text);
  assert.doesNotMatch(
    text,
    /undefined|NaN|Infinity|\[object|null\b|cannot read|is not a function/i,
  );
}

/** Arguments and files with which `central` cannot complete, and what it says. */
export type Refusal = [kwargs: Record<string, unknown>, files: string[], message: RegExp];

/** Asserts that `central` refuses each of the cases in one sentence. */
export async function assertRefusals(algorithm: Algorithm, cases: Refusal[]): Promise<void> {
  const federations = new Map<string[], Federation>();
  for (const [kwargs, files, message] of cases) {
    const federation = federations.get(files) ?? await createFederation(files);
    federations.set(files, federation);
    const found = await federation.run(algorithm, "central", kwargs).then(
      (result) => assert.fail(`completed: ${JSON.stringify([kwargs, result]).slice(0, 500)}`),
      (error: Error) => error.message,
    );
    assertSentence(found);
    assert.match(found, message);
  }
}
