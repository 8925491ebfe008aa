/**
 * The commands of `deno task node` beside the agent itself: each looks at one node's configuration and what its agent
 * keeps, says what it found, and returns an exit code.
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ConfigError } from "../../shared/config.ts";
import { messageOf } from "../../shared/errors.ts";
import { check, explainTask } from "./check/check.ts";
import { readNodeConfig } from "./config/config.ts";
import { keygen } from "./encryption/keygen.ts";
import { readStatus, showStatus } from "./health.ts";
import { AUDIT_FILE, verifyAuditLog } from "./record/audit_log.ts";

export const COMMANDS_HELP = `       deno task node keygen [--out FILE] [--bits 4096]
       deno task node check --config FILE [--explain TASK.json]
       deno task node status --config FILE
       deno task node audit verify --config FILE [--expect DIGEST]

  --explain says what the rules would do with a task, of which only "image" must be there:
    {"image": "…", "store": "https://…", "user": {"id": 1, "name": "…"}, "organization": {"id": 1, "name": "…"},
     "databases": ["…"], "organizations": 3, "method": "…", "args": [], "kwargs": {}}
`;

/** Runs the command that the arguments name; `undefined` when they name none. */
export function findCommand(args: string[]): (() => Promise<number>) | undefined {
  const [name, ...rest] = args;
  if (name === "keygen") return () => keygen(rest);
  if (name === "check") return () => withConfig(rest, runCheck);
  if (name === "status") return () => withConfig(rest, runStatus);
  if (name === "audit") {
    return () => {
      if (rest[0] === "verify") return withConfig(rest.slice(1), runVerify);
      console.error("The command is: audit verify --config FILE; --help explains.");
      return Promise.resolve(2);
    };
  }
  return undefined;
}

interface Options {
  config: string;
  explain?: string | undefined;
  expect?: string | undefined;
}

async function withConfig(
  args: string[],
  run: (options: Options) => Promise<number>,
): Promise<number> {
  let options: Options;
  try {
    const { values } = parseArgs({
      args,
      options: {
        config: { type: "string", short: "c" },
        explain: { type: "string" },
        expect: { type: "string" },
      },
    });
    if (!values.config) throw new Error("--config FILE is missing");
    options = { ...values, config: values.config };
  } catch (error) {
    console.error(`${messageOf(error)}; deno task node --help explains.`);
    return 2;
  }
  try {
    return await run(options);
  } catch (error) {
    console.error(messageOf(error));
    return error instanceof ConfigError ? 2 : 1;
  }
}

async function runCheck({ config: path, explain }: Options): Promise<number> {
  const config = await readNodeConfig(path);
  if (explain !== undefined) {
    const { text, allowed } = explainTask(
      JSON.parse(await Deno.readTextFile(explain)),
      config.policy,
    );
    console.log(text);
    return allowed ? 0 : 1;
  }
  let failures = 0;
  for await (const { name, well, note } of check(config)) {
    if (!well) failures++;
    console.log(`${well ? "ok  " : "FAIL"}  ${name.padEnd(18)} ${note}`);
  }
  return failures > 0 ? 1 : 0;
}

async function runStatus({ config }: Options): Promise<number> {
  const { dataFolder } = await readNodeConfig(config);
  const { text, well } = showStatus(await readStatus(dataFolder));
  console.log(text);
  return well ? 0 : 1;
}

async function runVerify({ config, expect }: Options): Promise<number> {
  const { dataFolder } = await readNodeConfig(config);
  const path = join(dataFolder, AUDIT_FILE);
  const found = verifyAuditLog(await Deno.readTextFile(path), expect);
  if (!found.ok) {
    console.log(`${path}: line ${found.line} ${found.problem}.`);
    return 1;
  }
  console.log(
    `${path}: ${found.records} records from ${found.from} to ${found.to}, none changed.\n` +
      `Digest of the last one: ${found.last}\n` +
      "Note it elsewhere: --expect DIGEST later shows that nothing up to here was rewritten.",
  );
  return 0;
}
