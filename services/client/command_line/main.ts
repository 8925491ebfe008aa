/**
 * `deno task client`: a researcher's command line.
 * @module
 */
import { closest } from "../../../shared/command_line/closest.ts";
import { UsageError } from "../../../shared/command_line/read_args.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { KeyChangedError } from "../errors.ts";
import { EXIT, EXIT_HELP, exitCodeOf } from "./exit_codes.ts";
import {
  algorithms,
  ALGORITHMS_HELP,
  collaborations,
  COLLABORATIONS_HELP,
  nodes,
  NODES_HELP,
  tasks,
  TASKS_HELP,
} from "./lists.ts";
import { hubs, HUBS_HELP, login, LOGIN_HELP, logout, LOGOUT_HELP } from "./login.ts";
import { print, printJson, say } from "./print.ts";
import { run, RUN_HELP } from "./run.ts";
import {
  ACCEPT_KEY_HELP,
  acceptKey,
  kill,
  KILL_HELP,
  repeat,
  REPEAT_HELP,
  result,
  RESULT_HELP,
} from "./task_commands.ts";
import { logs, LOGS_HELP, watch, WATCH_HELP } from "./watch.ts";

/** A command gets its arguments, and `--help` never reaches it. Resolves with the exit code. */
interface Command {
  run: (args: string[]) => Promise<number>;
  help: string;
  summary: string;
}

const COMMANDS: Record<string, Command> = {
  login: { run: login, help: LOGIN_HELP, summary: "logs in to a hub" },
  logout: { run: logout, help: LOGOUT_HELP, summary: "ends the log-in" },
  hubs: { run: hubs, help: HUBS_HELP, summary: "the hubs that are known here" },
  collaborations: {
    run: collaborations,
    help: COLLABORATIONS_HELP,
    summary: "collaborations and their members",
  },
  nodes: { run: nodes, help: NODES_HELP, summary: "nodes, and whether they are online" },
  algorithms: {
    run: algorithms,
    help: ALGORITHMS_HELP,
    summary: "what may run, and what it takes",
  },
  tasks: { run: tasks, help: TASKS_HELP, summary: "what was posted" },
  run: { run, help: RUN_HELP, summary: "runs an algorithm and prints its result" },
  watch: { run: watch, help: WATCH_HELP, summary: "follows a task, or all that happens" },
  logs: { run: logs, help: LOGS_HELP, summary: "what the runs of a task have logged" },
  result: { run: result, help: RESULT_HELP, summary: "the result of a task" },
  kill: { run: kill, help: KILL_HELP, summary: "ends a task" },
  repeat: { run: repeat, help: REPEAT_HELP, summary: "posts a task once more" },
  "accept-key": {
    run: acceptKey,
    help: ACCEPT_KEY_HELP,
    summary: "accepts another public key of an organization",
  },
};

const HELP = `A researcher's command line: everything goes through the hub's public API.

Usage: deno task client COMMAND …

${
  Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(16)} ${summary}`).join(
    "\n",
  )
}

  deno task client COMMAND --help   explains a command, with examples

${EXIT_HELP}

Example:
  deno task client login http://127.0.0.1:7601 --username alice
  deno task client run average --kwargs '{"column": "age"}'`;

export async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h") {
    print(HELP);
    return name === undefined ? EXIT.usage : EXIT.well;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    const near = closest(name, Object.keys(COMMANDS));
    say(
      `There is no command "${name}".${near ? ` Did you mean "${near}"?` : ""} --help lists them.`,
    );
    return EXIT.usage;
  }
  if (args.includes("--help") || args.includes("-h")) {
    print(command.help);
    return EXIT.well;
  }
  try {
    return await command.run(args);
  } catch (error) {
    const code = exitCodeOf(error);
    if (args.includes("--json")) printJson({ error: { exit: code, msg: messageOf(error) } }, 0);
    // Of a key that changed it was said when it was seen.
    say(error instanceof KeyChangedError ? "Nothing was posted." : messageOf(error));
    if (error instanceof UsageError) say(`deno task client ${name} --help explains.`);
    return code;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
