/**
 * `run`: posts a task, follows it, and prints what came of it.
 * @module
 */
import {
  readArgs,
  typedPath,
  UsageError,
  wholeNumber,
} from "../../../shared/command_line/read_args.ts";
import { parsePythonJson } from "../../../shared/payload/python_json.ts";
import type { Client } from "../client.ts";
import { KeyError } from "../errors.ts";
import type { OrganizationKey } from "../keys/organization_key.ts";
import type { NewTask } from "../tasks/post.ts";
import { EXIT, Stopped } from "./exit_codes.ts";
import { collaborationOf, namesOfOrganizations, oneNamed } from "./names.ts";
import { printJson, say } from "./print.ts";
import { followAtTerminal, untilStopped } from "./progress.ts";
import { saveOutcomes } from "./save.ts";
import { atHub, COMMON_HELP, KEY_HELP, keyOf, readCommand } from "./session.ts";
import { showOutcomes } from "./show_outcome.ts";
import { chooseOrganizations } from "./where_to_run.ts";
import { argumentsFor, chooseAlgorithm, chooseMethod } from "./which_algorithm.ts";

export const RUN_HELP = `Runs an algorithm, follows it, and prints its result.

Usage: deno task client run ALGORITHM [options]

  ALGORITHM    as nodes tell of it (glm, glm@1.0.0, deno:glm@1.0.0), or a container image
  --method NAME
               what of it to call; central unless given, where it has that
  --kwargs JSON
               named arguments, or @FILE with them; checked before anything is posted
  --where CONDITION
               on the rows that are used, such as "age >= 18 and sex = 'f'"
  --organizations NAMES
               who computes: names or ids with commas between, or all. Unless given, your own
               organization where the method asks the others itself, else all that may run it
  --collaboration NAME|ID
               needed where you see several; --study NAME|ID for a part of it
  --database LABEL
               once for each that the task needs; default unless given
  --name TEXT  of the task; --description TEXT
  --timeout S  seconds after which what is unfinished fails
  --keep-going a part that fails ends no other one
  --detach     post it and come back at once
  --out PATH   writes the result to a file too, those of several organizations to a folder
${KEY_HELP}
  --signed     post nothing that cannot be signed with that key; unless given, inputs are signed for
               the nodes that say that they read it
${COMMON_HELP}

Ctrl-C leaves it running, and says how to come back. Progress goes to standard error, the result to
standard output.

Examples:
  deno task client run average --kwargs '{"column": "age"}'
  deno task client run glm --kwargs @model.json --where "age >= 18" --out result.json
  deno task client run average --method partial --kwargs '{"column": "age"}' --organizations all
  deno task client run average --kwargs '{"column": "age"}' --key private_key.pem --json`;

const OPTIONS = {
  method: { type: "string" },
  kwargs: { type: "string", default: "{}" },
  where: { type: "string" },
  organizations: { type: "string" },
  collaboration: { type: "string" },
  study: { type: "string" },
  database: { type: "string", multiple: true },
  name: { type: "string" },
  description: { type: "string" },
  timeout: { type: "string" },
  "keep-going": { type: "boolean", default: false },
  detach: { type: "boolean", default: false },
  out: { type: "string" },
  key: { type: "string" },
  signed: { type: "boolean", default: false },
} as const;
type Values = ReturnType<typeof readArgs<{ options: typeof OPTIONS }>>["values"];

export async function run(args: string[]): Promise<number> {
  const { values, positionals: [algorithm] } = readCommand(args, OPTIONS, {
    least: 1,
    names: "the algorithm",
  });
  const kwargs = await readKwargs(values.kwargs);
  const key = await keyOf(values);
  const { client } = await atHub(values);
  const { task, summary } = await taskOf(client, algorithm!, { values, kwargs });
  await demandKey(client, task.collaboration, key);
  say(summary);
  return await postAndFollow(client, task, { ...values, key });
}

/** Without it nobody could read what comes back. */
export async function demandKey(
  client: Client,
  collaborationId: number,
  key: OrganizationKey | undefined,
): Promise<void> {
  if (key || !(await client.collaborations.get(collaborationId)).encrypted) return;
  throw new KeyError(
    "The collaboration is encrypted: give the private key of your organization (--key FILE), or " +
      "the results could not be opened.",
  );
}

export interface PostingOptions {
  json: boolean;
  detach: boolean;
  out?: string | undefined;
  key: OrganizationKey | undefined;
  signed?: boolean;
}

export async function postAndFollow(
  client: Client,
  task: NewTask,
  { json, detach, out, key, signed = false }: PostingOptions,
): Promise<number> {
  using stopped = untilStopped();
  const { signal } = stopped;
  const posted = await client.post(task, {
    key,
    signal,
    signed: signed ? "always" : "announced",
  }).catch((error) => {
    if (!signal.aborted) throw error;
    throw new Stopped("Stopped; perhaps it was posted already: deno task client tasks");
  });
  say(`Task ${posted.id} is posted.`);
  if (detach) {
    if (json) printJson({ task: posted.id, status: posted.status });
    else say(`Its result: deno task client result ${posted.id}`);
    return EXIT.well;
  }
  const nameOf = await namesOfOrganizations(client);
  const status = await followAtTerminal(client, { taskId: posted.id, nameOf, signal });
  const outcomes = await client.results.of(posted.id, { key });
  if (out !== undefined) await saveOutcomes(outcomes, { path: typedPath(out), nameOf });
  return showOutcomes(outcomes, { json, taskId: posted.id, status, nameOf });
}

async function taskOf(
  client: Client,
  algorithm: string,
  { values, kwargs }: { values: Values; kwargs: Record<string, unknown> },
): Promise<{ task: NewTask; summary: string }> {
  const timeoutSeconds = values.timeout === undefined
    ? undefined
    : wholeNumber("timeout", values.timeout, 1);
  const collaboration = await collaborationOf(client, values.collaboration);
  const studyId = values.study === undefined ? undefined : oneNamed(
    await client.studies.list({ collaboration_id: collaboration.id }).all(),
    { wanted: values.study, what: "study" },
  ).id;
  const told = await client.algorithms.list({ collaboration_id: collaboration.id }).all();
  const chosen = chooseAlgorithm(algorithm, told);
  const method = chooseMethod(chosen, values.method);
  const checked = argumentsFor(chosen, method, { kwargs, where: values.where });
  const { organization_id: ownId } = await client.account.whoAmI();
  const { organizations, offline } = await chooseOrganizations(client, {
    chosen,
    method,
    wanted: {
      organizations: values.organizations,
      studyId,
      collaborationId: collaboration.id,
      ownId,
    },
  });
  const names = organizations.map(({ name }) => name);
  const summary = [
    `${chosen.image} ${method} at ${listed(names)}, in "${collaboration.name}".`,
    ...chosen.description ? [] : ["It says nothing of itself: its arguments are not checked."],
    ...offline.length > 0 ? [`Offline now, so that it waits for them: ${listed(offline)}.`] : [],
  ].join("\n");
  return {
    summary,
    task: {
      image: chosen.image,
      collaboration: collaboration.id,
      study: studyId,
      organizations: organizations.map(({ id }) => id),
      input: { method, kwargs: checked },
      databases: databasesOf(values.database, chosen.description?.databases),
      name: values.name ?? `${algorithm} ${method}`.slice(0, 128),
      description: values.description,
      timeoutSeconds,
      keepGoing: values["keep-going"] || undefined,
    },
  };
}

function databasesOf(given: readonly string[] | undefined, needed = 1): readonly string[] {
  if (given && given.length > 0) return given;
  if (needed <= 1) return needed === 0 ? [] : ["default"];
  throw new UsageError(`It needs ${needed} databases: give --database so many times`);
}

/** The first few, and how many more. */
function listed(names: readonly string[]): string {
  const some = names.slice(0, 10).join(", ");
  return names.length > 10 ? `${some} and ${names.length - 10} more` : some;
}

/**
 * An object, as JSON or in a file. Throws a UsageError; of numbers that would not arrive as they
 * are, too.
 */
export async function readKwargs(given: string): Promise<Record<string, unknown>> {
  const text = given.startsWith("@")
    ? await Deno.readTextFile(typedPath(given.slice(1))).catch((cause) => {
      throw new UsageError(`--kwargs: the file ${given.slice(1)} cannot be read`, { cause });
    })
    : given;
  let parsed: ReturnType<typeof parsePythonJson>;
  try {
    parsed = parsePythonJson(text);
  } catch (cause) {
    throw new UsageError('--kwargs must be a JSON object, such as \'{"column": "age"}\'', {
      cause,
    });
  }
  const { value, isExact } = parsed;
  if (!isExact) {
    throw new UsageError("--kwargs has a number with more digits than numbers have here");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UsageError('--kwargs must be a JSON object, such as \'{"column": "age"}\'');
  }
  return value as Record<string, unknown>;
}
