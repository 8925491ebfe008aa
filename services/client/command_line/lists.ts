/**
 * `collaborations`, `nodes`, `algorithms` and `tasks`: what there is.
 * @module
 */
import { UsageError, wholeNumber } from "../../../shared/command_line/read_args.ts";
import type { Algorithm } from "../../../shared/contract/algorithm.ts";
import type { Organization } from "../../../shared/contract/organization.ts";
import { EXIT } from "./exit_codes.ts";
import { collaborationNamed, namesOfOrganizations } from "./names.ts";
import { printRows, timeOf } from "./print.ts";
import { atHub, COMMON_HELP, readCommand } from "./session.ts";

export const COLLABORATIONS_HELP = `Lists the collaborations that you may see, with their members.

Usage: deno task client collaborations [options]

${COMMON_HELP}

Examples:
  deno task client collaborations
  deno task client collaborations --json | jq '.[].name'`;

export async function collaborations(args: string[]): Promise<number> {
  const { values } = readCommand(args, {});
  const { client } = await atHub(values);
  const rows = await client.collaborations.list({ include: "organizations" }).all();
  printRows(rows, {
    json: values.json,
    none: "You see no collaboration.",
    shown: ({ id, name, encrypted, organizations }) => ({
      id,
      name,
      encrypted: encrypted ? "yes" : "no",
      organizations: (organizations as Organization[])
        .map((one) => `${one.name} (${one.id})`).join(", "),
    }),
  });
  return EXIT.well;
}

export const NODES_HELP = `Lists the nodes that you may see, and whether they are online.

Usage: deno task client nodes [--collaboration NAME|ID] [options]

${COMMON_HELP}

Examples:
  deno task client nodes
  deno task client nodes --collaboration "Heart study"`;

export async function nodes(args: string[]): Promise<number> {
  const { values } = readCommand(args, { collaboration: { type: "string" } });
  const { client } = await atHub(values);
  const place = values.collaboration === undefined
    ? undefined
    : await collaborationNamed(client, values.collaboration);
  const rows = await client.nodes.list({ collaboration_id: place?.id }).all();
  const nameOf = await namesOfOrganizations(client);
  printRows(rows, {
    json: values.json,
    none: "You see no node.",
    shown: ({ id, name, status, last_seen, organization, collaboration, config }) => ({
      id,
      name,
      status,
      organization: nameOf(organization.id),
      collaboration: collaboration.id,
      databases: config.filter(({ key }) => key === "database_labels")
        .map(({ value }) => value).join(", "),
      last_seen: timeOf(last_seen),
    }),
  });
  return EXIT.well;
}

export const ALGORITHMS_HELP =
  `Lists the algorithms that may run, as the nodes tell, or describes one.

Usage: deno task client algorithms [NAME] [--collaboration NAME|ID] [options]

  NAME         shows its methods with their arguments
${COMMON_HELP}

Examples:
  deno task client algorithms
  deno task client algorithms glm`;

export async function algorithms(args: string[]): Promise<number> {
  const { values, positionals: [wanted] } = readCommand(args, {
    collaboration: { type: "string" },
  }, { most: 1 });
  const { client } = await atHub(values);
  const place = values.collaboration === undefined
    ? undefined
    : await collaborationNamed(client, values.collaboration);
  const all = await client.algorithms.list({ collaboration_id: place?.id }).all();
  const nameOf = await namesOfOrganizations(client);
  if (wanted === undefined) {
    printRows(all, {
      json: values.json,
      none: "No node tells of an algorithm that may run there.",
      shown: ({ image, description, online, nodes }) => ({
        algorithm: image,
        summary: description?.summary ?? "",
        where: [...new Set(nodes.map(({ organization }) => nameOf(organization.id)))].join(", "),
        online: online ? "yes" : "no",
      }),
    });
    return EXIT.well;
  }
  const named = all.filter(({ name, image }) => name === wanted || image === wanted);
  if (named.length === 0) {
    const others = [...new Set(all.map(({ name, image }) => name ?? image))].join(", ");
    throw new UsageError(`No node tells of "${wanted}"; they tell of: ${others || "none"}`);
  }
  const rows = named.flatMap(({ image, description }) =>
    Object.entries(description?.methods ?? {}).filter(([, { internal }]) => !internal)
      .flatMap(([method, { arguments: described }]) =>
        Object.entries(described).map(([argument, one]) => ({
          image,
          method,
          argument,
          ...one,
        }))
      )
  );
  printRows(values.json ? named : rows as object[], {
    json: values.json,
    none: `It says nothing of its arguments; it has: ${methodsOf(named)}.`,
    shown: (row) => {
      const { image, method, argument, type, help, optional, default: value, choices } =
        row as Record<string, unknown>;
      return {
        algorithm: image,
        method,
        argument,
        type: choices ? `one of ${(choices as unknown[]).join(", ")}` : type,
        given: optional ? "may be" : value === undefined ? "must be" : JSON.stringify(value),
        help,
      };
    },
  });
  return EXIT.well;
}

function methodsOf(named: readonly Algorithm[]): string {
  const all = named.flatMap(({ nodes }) => nodes).flatMap(({ methods }) => methods);
  return [...new Set(all)].join(", ") || "nothing that may be called";
}

export const TASKS_HELP = `Lists tasks, the newest first.

Usage: deno task client tasks [--collaboration NAME|ID] [--status STATUS] [options]

  --status STATUS   such as active, completed, failed
  --number N        so many; 20 unless given
  --subtasks        also those that algorithms have made
${COMMON_HELP}

Examples:
  deno task client tasks
  deno task client tasks --status active --json`;

export async function tasks(args: string[]): Promise<number> {
  const { values } = readCommand(args, {
    collaboration: { type: "string" },
    status: { type: "string" },
    number: { type: "string", default: "20" },
    subtasks: { type: "boolean", default: false },
  });
  const most = wholeNumber("number", values.number, 1, 100_000);
  const { client } = await atHub(values);
  const place = values.collaboration === undefined
    ? undefined
    : await collaborationNamed(client, values.collaboration);
  const rows = [];
  const list = client.tasks.list({
    collaboration_id: place?.id,
    status: values.status,
    ...(values.subtasks ? {} : { is_user_created: 1 }),
  }, { perPage: Math.min(most, 100) });
  for await (const task of list) {
    rows.push(task);
    if (rows.length === most) break;
  }
  printRows(rows, {
    json: values.json,
    none: "There is no such task.",
    shown: ({ id, name, image, status, waiting, created_at, collaboration }) => ({
      id,
      name,
      algorithm: image,
      status: waiting === null ? status : `${status}, ${waiting}`,
      posted: timeOf(created_at),
      collaboration: collaboration.id,
    }),
  });
  return EXIT.well;
}
