import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readArgs } from "../../../shared/command_line/read_args.ts";
import { problemsOfOutputs } from "../algorithms/sextant/outputs.ts";
import { pack } from "./pack.ts";
import { entryOfTarget, nameOf, onlyTarget, TARGET_HELP } from "./pack_command.ts";
import { readDescription } from "./read_description.ts";
import { withWorkbench } from "./workbench.ts";

export const CHECK_HELP = `Checks an algorithm as far as that can be done without data.

Usage: deno task algorithm check TARGET

  TARGET   ${TARGET_HELP}

Its types, whether it packs, its description against what it exports, and its tests (files that end in
_test.ts), which run as you, not in the sandbox.`;

const CONFIG = fileURLToPath(new URL("../../../deno.json", import.meta.url));

export async function checkCommand(args: string[]): Promise<number> {
  const { positionals } = readArgs({ args, allowPositionals: true, options: {} });
  const entry = await entryOfTarget(onlyTarget(positionals));
  const failures: string[] = [];
  const say = (what: string, problem: string | undefined, note: string) => {
    if (problem !== undefined) failures.push(what);
    console.log(
      `${problem === undefined ? "ok  " : "FAIL"}  ${what.padEnd(12)} ${problem ?? note}`,
    );
  };

  const types = await deno(["check", "--quiet", "--config", CONFIG, entry]);
  say("types", types.success ? undefined : types.output, "no errors");
  const packed = await pack(entry).catch((error: Error) => error);
  if (packed instanceof Error) {
    say("packing", packed.message, "");
    return 1;
  }
  say("packing", undefined, `${packed.code.length} bytes, sha256 ${packed.digest}`);
  const found = await withWorkbench((bench) => readDescription(entry, bench))
    .catch((error: Error) => error);
  if (found instanceof Error) say("description", found.message, "");
  else {
    const { description, functions } = found;
    const problem = description && (mismatch(Object.keys(description.methods), functions) ??
      (problemsOfOutputs(description).join("\n") || undefined));
    say(
      "description",
      problem,
      description
        ? `${description.name} ${description.version}, methods ${functions.join(", ")}`
        : `none; methods ${functions.join(", ")}. Without one, its arguments are not checked`,
    );
  }
  const tests = (await Array.fromAsync(Deno.readDir(dirname(entry))))
    .map(({ name }) => name).filter((name) => name.endsWith("_test.ts"));
  const own = nameOf(entry);
  const mine = entry.endsWith("algorithm.ts")
    ? tests
    : tests.filter((name) => name === `${own}_test.ts`);
  if (mine.length === 0) say("tests", undefined, "none");
  else {
    const paths = mine.map((name) => join(dirname(entry), name));
    const ran = await deno(["test", "--quiet", "--no-check", "-A", "--config", CONFIG, ...paths]);
    say("tests", ran.success ? undefined : ran.output, mine.join(", "));
  }
  return failures.length > 0 ? 1 : 0;
}

/** What is described and not exported, or the other way round. */
function mismatch(described: string[], functions: string[]): string | undefined {
  const missing = described.filter((name) => !functions.includes(name));
  const silent = functions.filter((name) => !described.includes(name));
  if (missing.length > 0) return `it describes ${missing.join(", ")}, which it does not export`;
  if (silent.length > 0) return `it exports ${silent.join(", ")}, which it does not describe`;
}

async function deno(args: string[]): Promise<{ success: boolean; output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  return { success, output: `${text.decode(stdout)}${text.decode(stderr)}`.trim() };
}
