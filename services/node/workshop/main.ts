/**
 * `deno task algorithm`: algorithms made, tried, checked and packed, without a hub.
 *
 * Exit codes: 0 well, 1 the algorithm failed or is not right, 2 the command line is wrong.
 * @module
 */
import { closest } from "../../../shared/command_line/closest.ts";
import { UsageError } from "../../../shared/command_line/read_args.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { CHECK_HELP, checkCommand } from "./check.ts";
import { DESCRIBE_HELP, describeCommand } from "./describe.ts";
import { NEW_HELP, newCommand } from "./new.ts";
import { PACK_HELP, packCommand } from "./pack_command.ts";
import { PROVE_HELP, proveCommand } from "./prove.ts";
import { TRY_HELP, tryCommand } from "./try.ts";

/** A command gets its arguments, and `--help` never reaches it. Resolves with the exit code. */
type Command = { run: (args: string[]) => Promise<number>; help: string; summary: string };

const COMMANDS: Record<string, Command> = {
  new: { run: newCommand, help: NEW_HELP, summary: "makes a package with a test that passes" },
  try: { run: tryCommand, help: TRY_HELP, summary: "runs it in the real sandbox, files as sites" },
  check: {
    run: checkCommand,
    help: CHECK_HELP,
    summary: "its types, its description, its packing",
  },
  pack: { run: packCommand, help: PACK_HELP, summary: "makes the one file that nodes run" },
  prove: {
    run: proveCommand,
    help: PROVE_HELP,
    summary: "the library's numbers beside the reference's, as a table",
  },
  describe: { run: describeCommand, help: DESCRIBE_HELP, summary: "its page, or v6's store entry" },
};

const HELP = `Makes, tries, checks and packs algorithms for the sandbox; needs no hub.

Usage: deno task algorithm COMMAND …

${
  Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`).join(
    "\n",
  )
}

An algorithm is a folder with algorithm.ts, or a single file. It exports its methods, and should export a
description of them. It may import its own files, sextant/… and npm packages of plain JavaScript that lie in
its node_modules.

  deno task algorithm COMMAND --help   explains a command`;

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h") {
    console.log(HELP);
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    const near = closest(name, Object.keys(COMMANDS));
    console.error(
      `There is no command "${name}".${near ? ` Did you mean "${near}"?` : ""} --help lists them.`,
    );
    return 2;
  }
  if (args.includes("--help") || args.includes("-h")) {
    console.log(command.help);
    return 0;
  }
  try {
    return await command.run(args);
  } catch (error) {
    console.error(messageOf(error));
    if (!(error instanceof UsageError)) return 1;
    console.error(`deno task algorithm ${name} --help explains.`);
    return 2;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
