/**
 * `result`, `kill`, `repeat` and `accept-key`: what is done with a task that was posted, and with a
 * key that changed.
 * @module
 */
import { typedPath, UsageError } from "../../../shared/command_line/read_args.ts";
import { parsePythonJson } from "../../../shared/payload/python_json.ts";
import { isOpen } from "../../../shared/node_protocol/status.ts";
import { ClientError } from "../errors.ts";
import { collect } from "../payloads/bytes.ts";
import type { Call } from "../tasks/post.ts";
import { EXIT } from "./exit_codes.ts";
import { namesOfOrganizations, oneNamed } from "./names.ts";
import { printJson, say } from "./print.ts";
import { demandKey, postAndFollow, readKwargs } from "./run.ts";
import { save, saveOutcomes } from "./save.ts";
import { atHub, COMMON_HELP, idOf, KEY_HELP, keyOf, readCommand } from "./session.ts";
import { showOutcomes } from "./show_outcome.ts";

export const RESULT_HELP = `Prints the result of a task, or why there is none.

Usage: deno task client result TASK [options]

  --organization NAME|ID
               of this one alone
  --out PATH   writes it to a file, however large it is; those of several organizations to a folder
${KEY_HELP}
${COMMON_HELP}

Examples:
  deno task client result 5
  deno task client result 5 --json | jq '.organizations[].result'
  deno task client result 5 --organization "Clinic Beta" --out beta.json`;

export async function result(args: string[]): Promise<number> {
  const { values, positionals: [task] } = readCommand(args, {
    organization: { type: "string" },
    out: { type: "string" },
    key: { type: "string" },
  }, { least: 1, names: "the task's number" });
  const taskId = idOf(task!, "The task");
  const key = await keyOf(values);
  const { client } = await atHub(values);
  const nameOf = await namesOfOrganizations(client);
  const { status } = await client.tasks.get(taskId);
  const runs = await client.runs.list({ task_id: taskId, sort: "id", payload: "none" }).all();
  const named = runs.map(({ id, organization }) => ({
    id: organization.id,
    name: nameOf(organization.id),
    runId: id,
  }));
  const only = values.organization === undefined
    ? undefined
    : oneNamed(named, { wanted: values.organization, what: "organization with a share" });
  const single = only ?? (named.length === 1 ? named[0] : undefined);
  if (single && values.out !== undefined) {
    await save(typedPath(values.out), await client.results.open(single.runId, { key }));
    if (values.json) printJson({ task: taskId, status, run: single.runId, out: values.out });
    return EXIT.well;
  }
  const all = await client.results.of(taskId, { key });
  const outcomes = only ? all.filter(({ id }) => id === only.runId) : all;
  if (isOpen(status)) say(`Task ${taskId} is ${status}.`);
  if (values.out !== undefined) {
    await saveOutcomes(outcomes, { path: typedPath(values.out), nameOf });
  }
  return showOutcomes(outcomes, { json: values.json, taskId, status, nameOf });
}

export const KILL_HELP = `Ends a task and its subtasks, at all nodes.

Usage: deno task client kill TASK [options]

${COMMON_HELP}

Examples:
  deno task client kill 5`;

export async function kill(args: string[]): Promise<number> {
  const { values, positionals: [task] } = readCommand(args, {}, {
    least: 1,
    names: "the task's number",
  });
  const taskId = idOf(task!, "The task");
  const { client } = await atHub(values);
  const { msg } = await client.tasks.kill(taskId);
  if (values.json) printJson({ task: taskId, msg });
  else say(msg);
  return EXIT.well;
}

export const REPEAT_HELP =
  `Posts a task once more: the same algorithm, input, organizations and databases.

Usage: deno task client repeat TASK [options]

  --kwargs JSON
               arguments that are others this time, or @FILE with them; the rest stays
  --detach     post it and come back at once
  --out PATH   writes the result to a file too
${KEY_HELP}
${COMMON_HELP}

In an encrypted collaboration the inputs of other organizations cannot be read: there a task of which
they have a share is posted anew with run.

Examples:
  deno task client repeat 5
  deno task client repeat 5 --kwargs '{"column": "height"}'`;

export async function repeat(args: string[]): Promise<number> {
  const { values, positionals: [given] } = readCommand(args, {
    kwargs: { type: "string" },
    detach: { type: "boolean", default: false },
    out: { type: "string" },
    key: { type: "string" },
  }, { least: 1, names: "the task's number" });
  const taskId = idOf(given!, "The task");
  const others = values.kwargs === undefined ? {} : await readKwargs(values.kwargs);
  const key = await keyOf(values);
  const { client } = await atHub(values);
  const task = await client.tasks.get(taskId);
  if (task.parent) {
    throw new UsageError(`Task ${taskId} was made by task ${task.parent.id}: repeat that one`);
  }
  await demandKey(client, task.collaboration.id, key);
  const runs = await client.runs.list({ task_id: taskId, sort: "id", payload: "none" }).all();
  const inputs = new Map<number, Call | Uint8Array>();
  for (const { id, organization } of runs) {
    const content = await collect(await client.results.openInput(id, { key }));
    inputs.set(organization.id, changed(content, others));
  }
  const [first] = inputs.values();
  if (!first) throw new ClientError(`Task ${taskId} has no shares.`);
  return await postAndFollow(client, {
    image: task.image,
    collaboration: task.collaboration.id,
    study: task.study?.id,
    organizations: [...inputs.keys()],
    input: first,
    inputs,
    databases: task.databases.map(({ label, parameters }) => ({
      label,
      ...JSON.parse(parameters || "{}"),
    })),
    name: task.name || undefined,
    description: task.description || undefined,
    timeoutSeconds: task.timeout_seconds ?? undefined,
    storeId: task.algorithm_store?.id,
  }, { ...values, key });
}

/** The input with other arguments; as it is where there are none. */
function changed(content: Uint8Array, others: Record<string, unknown>): Call | Uint8Array {
  if (Object.keys(others).length === 0) {
    demandReadable(content);
    return content;
  }
  const call = demandReadable(content) as Call;
  return { ...call, kwargs: { ...call.kwargs, ...others } };
}

/** In v6's format what was encrypted for another key looks like noise. */
function demandReadable(content: Uint8Array): unknown {
  try {
    return parsePythonJson(new TextDecoder("utf-8", { fatal: true }).decode(content)).value;
  } catch (cause) {
    throw new ClientError(
      "The task's input cannot be read: it was encrypted for another organization. Post the task " +
        "anew: deno task client run",
      { cause },
    );
  }
}

export const ACCEPT_KEY_HELP = `Accepts another public key of an organization than before.

Usage: deno task client accept-key ORGANIZATION FINGERPRINT [options]

  ORGANIZATION its number
  FINGERPRINT  sha256:…, as the people there say it is
${COMMON_HELP}

Whoever replaces a key reads what is encrypted with it from then on. So ask the people of the
organization, by telephone say, whether they have changed it; do not take the hub's word for it.

Examples:
  deno task client accept-key 3 sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef`;

export async function acceptKey(args: string[]): Promise<number> {
  const { values, positionals: [given, fingerprint] } = readCommand(args, {}, {
    least: 2,
    names: "the organization's number, and the fingerprint",
  });
  const organizationId = idOf(given!, "The organization");
  if (!/^sha256:[0-9a-f]{64}$/.test(fingerprint!)) {
    throw new UsageError(`"${fingerprint}" is no fingerprint, such as sha256:5f70…`);
  }
  const { client } = await atHub(values);
  await client.keys.accept(organizationId, fingerprint!);
  if (values.json) printJson({ organization: organizationId, fingerprint });
  else say(`The key ${fingerprint} is that of organization ${organizationId} from now on.`);
  return EXIT.well;
}
