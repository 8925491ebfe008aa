import { readArgs, UsageError } from "../../../shared/command_line/read_args.ts";
import type { Argument, Description, Method, Output } from "../algorithms/sextant/description.ts";
import { entryOfTarget, onlyTarget, TARGET_HELP } from "./pack_command.ts";
import { readDescription } from "./read_description.ts";
import { storeEntry } from "./store_entry.ts";
import { withWorkbench } from "./workbench.ts";

export const DESCRIBE_HELP = `Prints what an algorithm says of itself.

Usage: deno task algorithm describe TARGET [--as page|json|store] [--image REFERENCE] [--code-url URL]

  TARGET       ${TARGET_HELP}
  --as page    a page in Markdown; the default
  --as json    the description itself
  --as store   what v6's algorithm store takes (POST /algorithm); needs --image, by which tasks name the
               algorithm, and --code-url, where its source is`;

export async function describeCommand(args: string[]): Promise<number> {
  const { values, positionals } = readArgs({
    args,
    allowPositionals: true,
    options: {
      as: { type: "string", default: "page" },
      image: { type: "string" },
      "code-url": { type: "string" },
    },
  });
  const { as, image, "code-url": codeUrl } = values;
  if (!["page", "json", "store"].includes(as)) {
    throw new UsageError(`--as must be page, json or store, not "${as}"`);
  }
  if (as === "store" && (!image || !codeUrl)) {
    throw new UsageError("--as store needs --image and --code-url");
  }
  const entry = await entryOfTarget(onlyTarget(positionals));
  const { description } = await withWorkbench((bench) => readDescription(entry, bench));
  if (!description) throw new Error("This algorithm has no description: it exports none.");
  if (as === "page") console.log(page(description));
  else {
    const value = as === "json"
      ? description
      : storeEntry(description, { image: image!, codeUrl: codeUrl! });
    console.log(JSON.stringify(value, null, 2));
  }
  return 0;
}

/** A page of documentation in Markdown. */
export function page({ name, version, summary, methods, citations = [] }: Description): string {
  const open = Object.entries(methods).filter(([, method]) => !method.internal);
  const sections = open.map(([method, described]) => section(method, described));
  const sources = citations.length === 0
    ? []
    : [`## Sources\n\n${citations.map((one) => `- ${one}`).join("\n")}`];
  const head = `# ${name} ${version}\n\n${summary}`;
  return [head, ...sections, ...leaves(methods), ...sources].join("\n\n") + "\n";
}

function section(name: string, { label, help, arguments: described, outputs, rounds }: Method) {
  const parts = [
    `## ${label ? `${label} (\`${name}\`)` : `\`${name}\``}\n\n${help}`,
    table(["Argument", "What it is", ""], Object.entries(described).map(argumentRow)),
    table(
      ["Result", "Kind", ""],
      outputs.flatMap((output) => outputRows(output)),
    ),
    ...(rounds ? [`Rounds: ${rounds}.`] : []),
  ];
  return parts.filter(Boolean).join("\n\n");
}

/** What organizations tell each other: the outputs of the methods that no form offers. */
function leaves(methods: Description["methods"]): string[] {
  const rows = Object.values(methods).filter(({ internal }) => internal).flatMap(
    ({ help, outputs }) =>
      outputs.flatMap((output) => outputRows(output)).map((row) => [help, ...row]),
  );
  const note = "What each organization tells the one that executes the task's own run.";
  const head = ["When", "What", "Kind", ""];
  return rows.length === 0 ? [] : [`## What leaves a site\n\n${note}\n\n${table(head, rows)}`];
}

/** An output, and the parts of it: `groups.*.n`. */
function outputRows(
  { name, kind, help, restsOn = [], each = [] }: Output,
  within = "",
): string[][] {
  const path = `${within}${name}`;
  const counts = [restsOn].flat().map((one) => `\`${one}\``).join(" and ");
  return [
    [`\`${path}\``, kind, help + (counts && ` (rests on ${counts})`)],
    ...each.flatMap((part) => outputRows(part, `${path}.`)),
  ];
}

function argumentRow([name, argument]: [string, Argument]): string[] {
  const { type, columnType, choices, min, max, optional, help } = argument;
  const notes = [
    columnType && `of ${columnType}`,
    choices && choices.join(", "),
    min !== undefined && `from ${min}`,
    max !== undefined && `up to ${max}`,
    argument.default !== undefined && `default ${JSON.stringify(argument.default)}`,
    optional && "may be left out",
  ].filter(Boolean);
  return [`\`${name}\``, [type, ...notes].join("; "), help];
}

function table(head: string[], rows: string[][]): string {
  if (rows.length === 0) return "";
  const line = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
