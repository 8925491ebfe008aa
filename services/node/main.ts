/**
 * `deno task node --config node.yaml`: one node agent.
 *
 * Exit codes: 0 stopped as asked, 1 cannot go on, 2 the configuration or the command line is wrong.
 * @module
 */
import { readArgs, typedPath } from "../../shared/command_line/read_args.ts";
import { ConfigError } from "../../shared/service/config.ts";
import { messageOf } from "../../shared/service/errors.ts";
import { createLogger, type Logger } from "../../shared/service/log.ts";
import { runService, type ServiceProcess } from "../../shared/service/run_service.ts";
import { startAgent } from "./agent.ts";
import { COMMANDS_HELP, findCommand } from "./commands.ts";
import { type NodeConfig, readNodeConfig } from "./config/config.ts";
import { PROFILES } from "./disclosure/rules.ts";
import { forgetVariables } from "./hub/way_out.ts";
import { API_KEY_VARIABLE, openApiKeyFile, PRIVATE_KEY_VARIABLE } from "./config/secrets.ts";
import { describeWalls, type Wall } from "./sandbox/walls.ts";
import { nodeUnit } from "./unit.ts";

const HELP = `Runs the agent of one node at a data station.

Usage: deno task node --config FILE [--kill-runs]
       deno task node --unit --config FILE    prints a unit for systemd that runs it
${COMMANDS_HELP}  --config FILE   the node's configuration (YAML)
  --kill-runs     end what runs when the agent is stopped. Without it containers go on and the next
                  agent takes them up again, as after a crash: nobody but the program itself ends
                  them until then. What runs in the sandbox ends in any case, and is done anew.
  --help          this text

The configuration, with its defaults:

  api_key: …                  # or api_key_file: PATH, or the variable ${API_KEY_VARIABLE}
  server_url: https://hub.example
  port: 443                   # the scheme's own
  api_path: /api
  proxy: http://proxy:3128    # default: HTTPS_PROXY and the like; also no_proxy, and ca: PATH of a private authority
  task_dir: ./node-data       # journal and runs; default: beside this file
  databases:
    - label: default          # the name by which tasks ask for it
      uri: ./patients.csv
      type: csv
  algorithm_folders: [ … ]    # where deno:<name>@<version> is found; default: those that come with the node
  algorithm_library: true     # the library, too; default: where no folders are named
  policies:
    allowed_algorithms:       # exact references, or names without version; without this
      - deno:average          # list only algorithms from the folders above may run
  disclosure:
    profile: datashield       # what results may tell: datashield, opensafely, acro, strict; default: none
  page:
    enabled: true             # for you, on this machine alone; deno task node page gives a link
    port: …                   # default: a free one at each start
  encryption:
    enabled: false            # must agree with the collaboration
    private_key: ./key.pem    # or the variable ${PRIVATE_KEY_VARIABLE}; keygen makes one
  limits:
    timeout_seconds: 86400    # per run
    memory_mib: 2048
    output_mib: 64            # largest result; at most 3072, and 511 for an algorithm in the sandbox
  max_runs: 2                 # runs that compute at once; default: one per core, at least 2
  max_waiting_runs: 8         # runs that have begun and wait for subtasks; default: 4 × max_runs

services/node/node.example.yaml has every option. Relative paths start from the file's folder. SEXTANT_LOG_LEVEL is debug, info, warn or error;
else logging: {level: …} of the file counts.

What protects this machine from algorithms:
`;

/** Stopping takes a moment for last reports; after this the process leaves anyway. */
const STOP_DEADLINE_MS = 10_000;

async function main(): Promise<number> {
  const command = findCommand(Deno.args);
  if (command) return await command();
  const args = await readAgentArgs();
  if (typeof args === "number") return args;
  let config: NodeConfig;
  try {
    config = await readNodeConfig(args.path);
  } catch (error) {
    sayReason(createLogger("node"), error);
    return error instanceof ConfigError ? 2 : 1;
  }
  forgetVariables();
  const { logLevel: level } = config;
  const options = { level, deadlineMs: STOP_DEADLINE_MS, sayFailure: sayReason };
  const { path, killRuns } = args;
  return await runService("node", (life) => run({ config, path, killRuns }, life), options);
}

async function run(
  { config, path, killRuns }: { config: NodeConfig; path: string; killRuns: boolean },
  { log, signal, fail, onStop }: ServiceProcess,
) {
  if (
    config.api.startsWith("http://") && !/^http:\/\/(localhost|127\.|\[::1\])/.test(config.api)
  ) {
    log.warn("server_url is plain http: the API key and all data travel readable", {
      server: config.api,
    });
  }
  if (!config.disclosureIsSaid) {
    log.warn(
      "No rules on what results may tell: one of a single row leaves. Set disclosure.profile",
      {
        profiles: Object.keys(PROFILES),
      },
    );
  }
  const file = openApiKeyFile(path);
  if (file !== undefined) {
    log.warn("Everybody on this machine can read the API key; chmod 600 mends that", { file });
  }
  const starting = startAgent({ config, log, signal, onFailure: fail, killRuns });
  // An agent that is stopped while it starts gives back what it has, and then says that it did not
  // start.
  onStop("agent", async () => {
    const agent = await starting.catch(() => undefined);
    await agent?.stop();
  });
  await starting;
}

/** For the owner of the node: why, without where in the program. */
function sayReason(log: Logger, error: unknown): void {
  log.error(messageOf(error));
}

interface AgentArgs {
  /** Of the configuration. */
  path: string;
  killRuns: boolean;
}

/** What the command line says, or the exit code when there is nothing to work with. */
async function readAgentArgs(): Promise<AgentArgs | number> {
  try {
    const { values: { config, help, unit, "kill-runs": killRuns = false } } = readArgs({
      args: Deno.args,
      options: {
        config: { type: "string", short: "c" },
        "kill-runs": { type: "boolean" },
        unit: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (help) {
      console.log(HELP + (await describeWalls()).map(showWall).join("\n"));
      return 0;
    }
    if (config && unit) {
      const { dataFolder } = await readNodeConfig(typedPath(config));
      console.log(nodeUnit({ config: typedPath(config), dataFolder }));
      return 0;
    }
    if (config) return { path: typedPath(config), killRuns };
    console.error("--config FILE is missing; --help explains.");
  } catch (error) {
    console.error(`${messageOf(error)}\n--help explains.`);
  }
  return 2;
}

function showWall({ name, stands, note }: Wall): string {
  return `  ${name.padEnd(12)} ${stands ? "yes" : "NO "}  ${note}`;
}

if (import.meta.main) Deno.exit(await main());
