/**
 * The commands of `deno task node` beside the agent itself: each looks at one node's configuration
 * and what its agent keeps, says what it found, and returns an exit code.
 * @module
 */
import { join } from "node:path";
import {
  readArgs,
  typedPath,
  UsageError,
  wholeNumber,
} from "../../shared/command_line/read_args.ts";
import { ConfigError } from "../../shared/service/config.ts";
import { messageOf } from "../../shared/service/errors.ts";
import { isUserPublicKey } from "../../shared/broker/signing.ts";
import { check, explainTask } from "./check/check.ts";
import { readNodeConfig } from "./config/config.ts";
import { HELD_HELP, runHeld } from "./disclosure/held_commands.ts";
import { LEDGER_HELP, runLedger } from "./disclosure/ledger/ledger_commands.ts";
import { acceptKey } from "./encryption/known_keys.ts";
import { keygen } from "./encryption/keygen.ts";
import { acceptHub } from "./hub/known_hub.ts";
import { forgetVariables } from "./hub/way_out.ts";
import { acceptName, holdersOfNames, KINDS_OF_NAMES, listedNames } from "./policy/known_names.ts";
import { runPage } from "./page/page_command.ts";
import { readStatus, showStatus } from "./record/agent_status.ts";
import { readPieces } from "./payload/pieces.ts";
import { AUDIT_FILE } from "./record/audit_log.ts";
import { acknowledge, readKept, SUBJECTS_OF_ALARMS } from "./witness/kept.ts";
import { type HubFindings, verifyAuditLog } from "./record/audit_verify.ts";

export const COMMANDS_HELP = `       deno task node keygen [--out FILE] [--bits 4096]
       deno task node check --config FILE [--explain TASK.json]
       deno task node status --config FILE
       deno task node page --config FILE      a link to the owner's page, which lets in once
       deno task node audit verify --config FILE [--expect DIGEST]
       deno task node accept-key --config FILE --organization ID --key FINGERPRINT
       deno task node accept-name --config FILE user|organization NAME ID
       deno task node accept-hub --config FILE [--key KEY]... [--url URL]
       deno task node accept-record --config FILE --service SERVICE --reason TEXT
${HELD_HELP}${LEDGER_HELP}
  --explain says what the rules would do with a task, of which only "image" must be there:
    {"image": "…", "store": "https://…", "user": {"id": 1, "name": "…"}, "organization": {"id": 1, "name": "…"},
     "databases": ["…"], "organizations": 3, "method": "…", "args": [], "kwargs": {}}
`;

const MOST_ALARMS = 20;

/** Runs the command that the arguments name; `undefined` when they name none. */
export function findCommand(args: string[]): (() => Promise<number>) | undefined {
  const [name, ...rest] = args;
  if (name === "keygen") return () => keygen(rest);
  if (name === "check") return () => withConfig(rest, runCheck);
  if (name === "status") return () => withConfig(rest, runStatus);
  if (name === "page") return () => withConfig(rest, runPageCommand);
  if (name === "accept-hub") return () => withConfig(rest, runAcceptHub);
  if (name === "held") return () => withConfig(rest, runHeldCommand, { words: true });
  if (name === "accept-record") return () => withConfig(rest, runAcceptRecord);
  if (name === "ledger") return () => withConfig(rest, runLedgerCommand, { words: true });
  if (name === "accept-name") return () => withConfig(rest, runAcceptName, { words: true });
  if (name === "accept-key") return () => withConfig(rest, runAcceptKey);
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
  organization?: string | undefined;
  key?: string[] | undefined;
  url?: string | undefined;
  service?: string | undefined;
  reason?: string | undefined;
  page?: string | undefined;
  database?: string | undefined;
  /** What stands there beside options. */
  words: string[];
}

async function withConfig(
  args: string[],
  run: (options: Options) => Promise<number>,
  { words = false } = {},
): Promise<number> {
  let options: Options;
  try {
    const { values, positionals } = readArgs({
      args,
      allowPositionals: words,
      options: {
        config: { type: "string", short: "c" },
        explain: { type: "string" },
        expect: { type: "string" },
        organization: { type: "string" },
        key: { type: "string", multiple: true },
        url: { type: "string" },
        service: { type: "string" },
        reason: { type: "string" },
        page: { type: "string" },
        database: { type: "string" },
      },
    });
    if (!values.config) throw new Error("--config FILE is missing");
    if (values.expect !== undefined && !/^[0-9a-f]{64}$/.test(values.expect)) {
      throw new Error("--expect must be a digest as audit verify prints it, 64 of 0-9 and a-f");
    }
    options = { ...values, words: positionals, config: typedPath(values.config) };
  } catch (error) {
    console.error(`${messageOf(error)}; deno task node --help explains.`);
    return 2;
  }
  try {
    return await run(options);
  } catch (error) {
    console.error(messageOf(error));
    return error instanceof ConfigError || error instanceof UsageError ? 2 : 1;
  }
}

async function runCheck({ config: path, explain }: Options): Promise<number> {
  const config = await readNodeConfig(path);
  if (explain !== undefined) {
    const task = await readTask(typedPath(explain));
    const { dataFolder, policy } = config;
    const holders = await holdersOfNames(dataFolder, policy);
    const { text, allowed } = explainTask(task, policy, holders);
    console.log(text);
    return allowed ? 0 : 1;
  }
  forgetVariables();
  let failures = 0;
  for await (const { name, well, note } of check(config)) {
    if (!well) failures++;
    console.log(`${well ? "ok  " : "FAIL"}  ${name.padEnd(18)} ${note}`);
  }
  return failures > 0 ? 1 : 0;
}

async function readTask(path: string): Promise<unknown> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new Error(`The task cannot be read from ${path}: ${messageOf(error)}`);
  }
}

async function runStatus({ config }: Options): Promise<number> {
  const { dataFolder } = await readNodeConfig(config);
  const { text, well } = showStatus(await readStatus(dataFolder));
  console.log(text);
  return well ? 0 : 1;
}

async function runPageCommand({ config }: Options): Promise<number> {
  const { dataFolder } = await readNodeConfig(config);
  const { text, code } = await runPage(dataFolder);
  if (code === 0) console.log(text);
  else console.error(text);
  return code;
}

async function runHeldCommand({ config, words, reason, page }: Options): Promise<number> {
  const { dataFolder } = await readNodeConfig(config);
  const { text, code } = await runHeld({ dataFolder, words, reason, page });
  if (code === 0) console.log(text);
  else console.error(text);
  return code;
}

async function runLedgerCommand(
  { config, words, database, reason }: Options,
): Promise<number> {
  const { dataFolder, databases } = await readNodeConfig(config);
  const { text, code } = await runLedger({ dataFolder, databases, words, database, reason });
  console.log(text);
  return code;
}

async function runAcceptKey({ config, organization, key }: Options): Promise<number> {
  if (organization === undefined || key === undefined) {
    console.error("--organization ID and --key FINGERPRINT are missing; --help explains.");
    return 2;
  }
  const organizationId = wholeNumber("organization", organization, 1);
  const fingerprint = key.join().toLowerCase();
  if (!/^sha256:[0-9a-f]{64}$/.test(fingerprint)) {
    console.error('--key must be a fingerprint: "sha256:" and 64 hexadecimal digits.');
    return 2;
  }
  const { dataFolder, pinnedKeys } = await readNodeConfig(config);
  const pinned = pinnedKeys[organizationId];
  if (pinned !== undefined && pinned !== fingerprint) {
    console.error(
      `Cannot accept another key of organization ${organizationId}: encryption.pinned_keys in ` +
        `${config} has ${pinned}. Change it there and start the agent again.`,
    );
    return 1;
  }
  const { before } = await acceptKey(dataFolder, { organizationId, fingerprint });
  console.log(
    `From now on the key ${fingerprint} of organization ${organizationId} is used` +
      (before === undefined || before === fingerprint ? "." : `; it was ${before} before.`),
  );
  return 0;
}

async function runAcceptName({ config, words: [kind, name, id, ...rest] }: Options) {
  const known = KINDS_OF_NAMES.find((one) => one === kind);
  if (!known || !name || id === undefined || rest.length > 0) {
    throw new UsageError(
      "The command is: accept-name user|organization NAME ID --config FILE; --help explains.",
    );
  }
  const { dataFolder, policy } = await readNodeConfig(config);
  if (!listedNames(known, policy).includes(name)) {
    throw new UsageError(
      `policies.allowed_${known}s in ${config} does not list the name "${name}".`,
    );
  }
  const holder = wholeNumber("ID", id, 1);
  const { before } = await acceptName(dataFolder, { kind: known, name, id: holder });
  console.log(
    `From now on the ${known} "${name}" is ${known} ${holder}` +
      (before === undefined || before === holder ? "." : `; it was ${before} before.`),
  );
  return 0;
}

async function runAcceptHub({ config, key = [], url }: Options): Promise<number> {
  if (key.length === 0 && url === undefined) {
    console.error("--key KEY or --url URL is missing: the agent's log names them.");
    return 2;
  }
  const bad = key.find((one) => !isUserPublicKey(one));
  if (bad !== undefined || (url !== undefined && !/^wss?:\/\/|^tls:\/\/|^nats:\/\//.test(url))) {
    console.error(`Cannot accept ${bad ?? url}: it is no ${bad ? "key" : "address of a broker"}.`);
    return 2;
  }
  const { dataFolder } = await readNodeConfig(config);
  await acceptHub(dataFolder, { keys: key, url });
  console.log(`Accepted: ${[...key, ...(url ? [url] : [])].join(", ")}. Start the agent again.`);
  return 0;
}

async function runAcceptRecord({ config, service, reason }: Options): Promise<number> {
  const known = SUBJECTS_OF_ALARMS.find((one) => one === service);
  if (known === undefined) {
    console.error(`--service must be one of ${SUBJECTS_OF_ALARMS.join(", ")}; --help explains.`);
    return 2;
  }
  if (!reason?.trim()) {
    console.error("--reason TEXT is missing: it stands in the audit log from then on.");
    return 2;
  }
  const { dataFolder } = await readNodeConfig(config);
  const { alarms } = await readKept(dataFolder);
  await acknowledge(dataFolder, { service: known, reason: reason.trim() });
  const own = alarms.filter((alarm) => alarm.service === known);
  console.log(
    own.length === 0
      ? `There is no alarm about ${known}.`
      : own.map(({ at, kind, problem }) => `${at}  ${kind}: ${problem}`).join("\n"),
  );
  console.log(
    "Acknowledged. The agent forgets what it had seen there, and notes it anew, when it next looks: " +
      "within an hour, or when it is started.",
  );
  return 0;
}

async function runVerify({ config, expect }: Options): Promise<number> {
  const { dataFolder } = await readNodeConfig(config);
  const path = join(dataFolder, AUDIT_FILE);
  const size = await Deno.stat(path).then((info) => info.size, (error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  if (!size) {
    const begun = "An agent that has started here has written to it";
    console.log(`${path}: ${size === undefined ? "there is no such file" : "is empty"}. ${begun}.`);
    return 1;
  }
  const found = await verifyAuditLog(readPieces(path, { end: size }), expect);
  if (!found.ok) {
    console.log(`${path}: line ${found.line} ${found.problem}.`);
    return 1;
  }
  const records = `${found.records} record${found.records === 1 ? "" : "s"}`;
  console.log(
    `${path}: ${records} from ${found.from} to ${found.to}, none changed.\n` +
      `Digest of the last one: ${found.last}\n` +
      "Note it elsewhere: --expect DIGEST later shows that nothing up to here was rewritten.",
  );
  for (const line of hubLines(found.hub)) console.log(line);
  return 0;
}

/** What this log shows of the hub's own audit record. */
function hubLines({ checkpoints, alarms }: HubFindings): string[] {
  return [
    ...[...checkpoints].map(([service, { size, root, since }]) =>
      `The hub's record of ${service} had ${size} entries and the root ${root} when that was last ` +
      `noted; since ${since} each was proven to go on from the one before.`
    ),
    ...alarms.slice(0, MOST_ALARMS).map(({ at, service, problem }) =>
      `ALARM of ${at}, the hub's record of ${service}: ${problem}`
    ),
    ...(alarms.length > MOST_ALARMS ? [`… and ${alarms.length - MOST_ALARMS} more alarms.`] : []),
  ];
}
