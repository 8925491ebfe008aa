/**
 * What is wrong with how methods describe their outputs, beyond the shape of a description: parts
 * that rest on nothing, and names of parts that there are not.
 * @module
 */
import type { Description, Method, Output, OutputKind } from "./description.ts";

/** Kinds whose values rest on persons without being numbers of them. */
const RESTING: readonly OutputKind[] = [
  "moments",
  "model",
  "curve",
  "quantiles",
  "estimate",
  "levels",
];

/** A line for each problem: `partial: "gradient" does not say what it rests on`. */
export function problemsOfOutputs({ methods }: Pick<Description, "methods">): string[] {
  return Object.entries(methods).flatMap(([name, method]) =>
    problemsOfMethod(method).map((problem) => `${name}: ${problem}`)
  );
}

function problemsOfMethod({ outputs, rows, arguments: described }: Method): string[] {
  // What it returns leaves as it is.
  if (rows === "none") return [];
  return problemsIn(outputs, { around: [], path: "", described: Object.keys(described) });
}

interface Place {
  /** The outputs of the objects around these, the nearest first. */
  around: readonly (readonly Output[])[];
  path: string;
  /** The names of the method's arguments. */
  described: readonly string[];
}

function problemsIn(outputs: readonly Output[], { around, path, described }: Place): string[] {
  const scopes = [outputs, ...around];
  return outputs.flatMap((output, index): string[] => {
    const name = `${path}${output.name}`;
    const problems: string[] = [];
    if (outputs.findIndex((other) => other.name === output.name) < index) {
      problems.push(`"${name}" is described twice`);
    }
    if (output.each) {
      problems.push(...problemsIn(output.each, { around: scopes, path: `${name}.`, described }));
    } else if (RESTING.includes(output.kind) && output.restsOn === undefined) {
      problems.push(`"${name}" does not say what it rests on, so it would not leave`);
    }
    for (const [what, kinds] of KINDS_OF_REFERENCES) {
      for (const wanted of [output[what] ?? []].flat()) {
        if (what === "at" && described.includes(wanted)) continue;
        const found = find(wanted, scopes);
        if (!found) problems.push(`"${name}" names "${wanted}", which is not described`);
        else if (kinds && !kinds.includes(found.kind)) {
          problems.push(`"${name}" names "${wanted}", which must be a ${kinds.join(" or ")}`);
        }
      }
    }
    return problems;
  });
}

/** The names of other parts in an output, and what kind those must be of. */
const KINDS_OF_REFERENCES: readonly (readonly [
  "restsOn" | "partOf" | "contributions" | "terms" | "at",
  readonly OutputKind[] | undefined,
])[] = [
  ["restsOn", ["count", "table", "persons"]],
  ["partOf", ["count"]],
  ["contributions", ["contributions"]],
  ["terms", undefined],
  ["at", undefined],
];

/** The output of this name that is nearest. */
export function find(
  name: string,
  scopes: readonly (readonly Output[])[],
): Output | undefined {
  for (const outputs of scopes) {
    const found = outputs.find((output) => output.name === name);
    if (found) return found;
  }
}
