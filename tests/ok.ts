/**
 * `deno task ok`: the one gate before a change goes in. Format, lint, types, tests.
 * @module
 */
import { fileURLToPath } from "node:url";
import { main as runTests } from "./main.ts";

const HELP = `deno task ok [--help]

Checks the format, the lint rules and the types of everything, then runs all tests. Stops at the first that
fails; the exit code says whether all passed.`;

const ROOT = fileURLToPath(new URL("..", import.meta.url));

async function step(args: string[]): Promise<boolean> {
  console.log(`deno ${args.join(" ")}`);
  const child = new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).spawn();
  return (await child.status).success;
}

async function main(args: string[]): Promise<number> {
  if (args.length > 0) {
    console.log(HELP);
    return args.includes("--help") || args.includes("-h") ? 0 : 2;
  }
  for (const check of ["fmt --check", "lint", "check"]) {
    if (await step(check.split(" "))) continue;
    console.error(`"deno ${check}" found something; see above.`);
    return 1;
  }
  return await runTests([]);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
