/**
 * `watch` and `logs`: what happens, as it happens.
 * @module
 */
import { isOpen } from "../../../shared/node_protocol/status.ts";
import type { Client } from "../client.ts";
import type { FeedEvent } from "../events.ts";
import { EXIT, Stopped } from "./exit_codes.ts";
import { createLogPrinter } from "./log_printer.ts";
import { namesOfOrganizations } from "./names.ts";
import { print, printJson, say, timeOf } from "./print.ts";
import { followAtTerminal, untilStopped } from "./progress.ts";
import { atHub, COMMON_HELP, idOf, readCommand } from "./session.ts";

export const WATCH_HELP = `Follows a task until it is over, or all that you may watch until Ctrl-C.

Usage: deno task client watch [TASK] [options]

${COMMON_HELP}

With --json each change is a line. The exit code is 1 when the task did not complete.

Examples:
  deno task client watch 5 && deno task client result 5
  deno task client watch --json`;

export async function watch(args: string[]): Promise<number> {
  const { values, positionals: [given] } = readCommand(args, {}, { most: 1 });
  const { client } = await atHub(values);
  const nameOf = await namesOfOrganizations(client);
  using stopped = untilStopped();
  const { signal } = stopped;
  if (given !== undefined) {
    const taskId = idOf(given, "The task");
    const status = await followAtTerminal(client, { taskId, nameOf, signal, json: values.json });
    say(`Task ${taskId} is ${status}.`);
    return status === "completed" ? EXIT.well : EXIT.failed;
  }
  for await (const event of client.events({ signal })) {
    if (values.json) printJson(event, 0);
    else print(lineOf(event, nameOf));
  }
  throw new Stopped("Stopped watching.");
}

function lineOf(event: FeedEvent, nameOf: (id: number) => string): string {
  switch (event.name) {
    case "feed.begun":
      return event.resumed ? "(watching again)" : "(watching; Ctrl-C ends it)";
    case "feed.gap":
      return "(events are gone that were not seen)";
    case "task.created":
      return `${timeOf(event.at)}  task ${event.data.task_id} posted`;
    case "task.deleted":
      return `${timeOf(event.at)}  task ${event.data.task_id} deleted`;
    case "node.presence":
      return `${timeOf(event.at)}  node of ${
        nameOf(event.data.organization_id)
      }: ${event.data.status}`;
    case "result.status": {
      const { task_id, organization_id, status } = event.data;
      return `${timeOf(event.at)}  task ${task_id} at ${nameOf(organization_id)}: ${status}`;
    }
    case "result.log": {
      const { task_id, organization_id, lines } = event.data;
      return lines.map((line) =>
        `${timeOf(event.at)}  task ${task_id} at ${nameOf(organization_id)} | ${line}`
      ).join("\n");
    }
  }
}

export const LOGS_HELP = `Prints what the runs of a task have logged.

Usage: deno task client logs TASK [-f] [options]

  -f, --follow go on until the task is over
${COMMON_HELP}

With --json each piece is a line: {"run", "organization", "text"}.

Examples:
  deno task client logs 5
  deno task client logs 5 -f`;

export async function logs(args: string[]): Promise<number> {
  const { values, positionals: [given] } = readCommand(args, {
    follow: { type: "boolean", short: "f", default: false },
  }, { least: 1, names: "the task's number" });
  const taskId = idOf(given!, "The task");
  const { client } = await atHub(values);
  const nameOf = await namesOfOrganizations(client);
  const printer = createLogPrinter({ nameOf, json: values.json });

  async function look() {
    const list = client.runs.list({ task_id: taskId, sort: "id", payload: "log" });
    for (const run of await list.all()) printer.show(run);
  }

  if (!values.follow) {
    await client.tasks.get(taskId);
    await look();
    return EXIT.well;
  }
  await followLogs(client, { taskId, look });
  await look();
  return EXIT.well;
}

/** Looks whenever something was logged, but not more often than twice a second. */
async function followLogs(
  client: Client,
  { taskId, look }: { taskId: number; look: () => Promise<void> },
): Promise<void> {
  using stopped = untilStopped();
  const { signal } = stopped;
  let pending: Promise<void> | undefined;
  let failed: unknown;
  function lookSoon() {
    pending ??= new Promise<void>((resolve) => setTimeout(resolve, 500)).then(() => {
      pending = undefined;
      return look();
    }).catch((error) => void (failed = error));
  }
  const { status } = await client.tasks.get(taskId);
  await look();
  if (!isOpen(status)) return;
  await client.follow(taskId, { signal, subtasks: false, onChange: lookSoon }).catch((error) => {
    throw signal.aborted
      ? new Stopped(`Stopped; task ${taskId} goes on. Again: deno task client logs ${taskId} -f`)
      : error;
  });
  await pending;
  if (failed) throw failed;
}
