import { readArgs, UsageError } from "../../../shared/command_line/read_args.ts";
import type { Proof } from "../../../tests/algorithms/prove.ts";
import { libraryPackages } from "../algorithms/library.ts";

export const PROVE_HELP =
  `Computes the library's numbers on public data, and compares them with the reference's.

Usage: deno task algorithm prove [NAME …] [--json]

  NAME     algorithms of the library; default: all
  --json   every number with its difference, as JSON

A line says how many numbers of one analysis were compared, how far the most different one is from the
reference's, relatively, and how far it may be; the splits are the ways in which the rows are dealt out to
sites. The references' numbers, the data, and the scripts that made them from Python's packages are in
tests/algorithms/reference. Exit code 1 if a number is not within its bound.`;

export async function proveCommand(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: { json: { type: "boolean", default: false } },
  });
  const known = (await libraryPackages()).map(({ description }) => description.name);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`The library has no "${unknown}"; it has: ${known.join(", ")}`);
  }
  // The proof is one of the tests; no other command needs them.
  const { failures, prove } = await import("../../../tests/algorithms/prove.ts");
  const proofs = await prove(positionals);
  const failed = failures(proofs);
  console.log(values.json ? JSON.stringify(proofs) : table(proofs));
  if (!values.json) {
    for (const { algorithm, data, split, number, reference, ours } of failed) {
      console.log(`FAIL  ${algorithm}, ${data}, ${split}: ${number} is ${ours}, not ${reference}`);
    }
    const within = proofs.length - failed.length;
    console.log(`\n${within} of ${proofs.length} numbers are within their bounds`);
  }
  return failed.length > 0 ? 1 : 0;
}

/** A line for each analysis and split. */
function table(proofs: Proof[]): string {
  const lines = new Map<string, Proof[]>();
  for (const proof of proofs) {
    const { algorithm, data, by, analysis, split } = proof;
    const key = JSON.stringify([algorithm, data, by, analysis, split]);
    lines.set(key, [...lines.get(key) ?? [], proof]);
  }
  const rows = [...lines.values()].map((numbers) => {
    const [{ algorithm, data, by, split, bound }] = numbers as [Proof];
    const largest = Math.max(...numbers.map(({ difference }) => difference));
    const difference = largest === 0 ? "0" : largest.toExponential(1);
    return [algorithm, data, split, String(numbers.length), difference, String(bound), by];
  });
  const head = ["algorithm", "data", "split", "numbers", "difference", "bound", "reference"];
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: string[]) =>
    cells.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd();
  return [line(head), ...rows.map(line)].join("\n");
}
