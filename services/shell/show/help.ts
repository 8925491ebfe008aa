/**
 * `help()` of the shell and of its models.
 * @module
 */
import { DESCRIPTIONS } from "../models/all.ts";
import type { Description } from "../models/description.ts";
import { table, terminalWidth, wrapped } from "../../../shared/command_line/table.ts";

/** A text that is shown as it is. */
export class HelpText {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }

  [Symbol.for("Deno.customInspect")](): string {
    return this.text;
  }
}

/** What every model has, besides its look-ups. */
export const MODEL_METHODS = {
  get: {
    usage: "get(), get(1), get({limit, offset, descending})",
    meaning: "all, a page at a time, or the one with this id; so find, getMany and relations: " +
      "for await (const one of …) gives each of them, however many",
  },
  find: {
    usage: "find({field: value})",
    meaning: "those that match; a list of values means any of them",
  },
  findOne: { usage: "findOne({field: value})", meaning: "the first that matches" },
  getMany: { usage: "getMany([1, 2])", meaning: "those with these ids" },
  each: { usage: "each({field: value})", meaning: "for await (const one of …): all, however many" },
  count: { usage: "count({field: value})", meaning: "how many match" },
  help: { usage: "help()", meaning: "this text" },
} as const;

/** What `db` can do. */
export const DATABASE_METHODS: Record<string, string> = {
  "db.help()": "this text; db.User.help() and so on say more",
  'await db.import("file.yaml")':
    "organizations, users, collaborations and nodes from a file; {dryRun: true}, {strict: true}",
  "await db.export()": "the same as text in the form of such a file, without secrets",
  "await db.watch()": "what happens, as it happens, until Ctrl-C",
  "await db.doctor()": "checks the hub, and says what to do",
  "await db.acknowledgeSeals()":
    "after a backup was restored: db.doctor() no longer warns of what nodes had noted until now",
  "await db.withdrawSigningKeys()":
    "when a key that signs tokens was seen by others: every log-in ends, and new keys are made",
  "await sql.identity`select …`":
    "any query of one service's database: identity, collaboration, task. It tells nobody of changes",
};

/** The text of `db.help()`. */
export function helpOfShell(): HelpText {
  const width = terminalWidth();
  return new HelpText([
    "Models, such as db.Organization:",
    table(DESCRIPTIONS.map(({ name, meaning }) => ({ model: name, meaning })), width),
    "",
    "On db and sql:",
    table(Object.entries(DATABASE_METHODS).map(([typed, meaning]) => ({ typed, meaning })), width),
    "",
    ...wrapped(
      "A record is changed by assignment and stored by await record.save(). There are no permission checks and no " +
        "validation here; the API has both, and is to be preferred.",
      width,
    ),
  ].join("\n"));
}

/** The text of `db.<Model>.help()`. */
export function helpOf(description: Description): HelpText {
  const { name, table: tableName, service, meaning, fields, relations, notes } = description;
  const width = terminalWidth();
  const properties = Object.entries(fields).map(([field, one]) => ({
    field,
    type: one.type,
    required: one.required ? "yes" : "",
    set: one.readOnly ? (one.virtual ? "computed" : "by the hub") : "",
    meaning: one.meaning,
  }));
  const related = Object.entries(relations).map(([relation, one]) => {
    const { required, otherwise } = { required: false, otherwise: "", ...one };
    return {
      relation,
      gives: one.kind === "one" ? one.model : `list of ${one.model}`,
      required: required ? "yes" : "",
      meaning: otherwise ? `${one.meaning}; ${otherwise}` : one.meaning,
    };
  });
  return new HelpText([
    `${name}: ${meaning}`,
    `Table ${tableName} of ${service}.`,
    "",
    "Fields",
    table(properties, width),
    "",
    `Relations (awaited: await ${name.toLowerCase()}.${Object.keys(relations)[0]})`,
    table(related, width),
    "",
    "Methods",
    table(methodsOf(description), width),
    ...notes.flatMap((note) => ["", ...wrapped(note, width)]),
  ].join("\n"));
}

function methodsOf({ name, lookups, statics, methods, fixed }: Description) {
  const onModel = [
    ...Object.values(MODEL_METHODS),
    ...Object.entries(lookups).map(([method, properties]) => ({
      usage: `${method}(${properties.join(", ")})`,
      meaning: "the first one; undefined when there is none",
    })),
    ...Object.values(statics),
  ];
  const onRecord = [
    ...(fixed ? [] : [
      { usage: "save()", meaning: "inserts or updates it" },
      {
        usage: "delete()",
        meaning: "says what else goes, asks, and deletes it; {yes: true} does not ask",
      },
      {
        usage: "delete({force: true})",
        meaning: "also when nobody is left who can administer the hub; so save({force: true})",
      },
    ]),
    { usage: "reload()", meaning: "reads it again" },
    ...Object.values(methods),
  ];
  return [
    ...(fixed ? [] : [{ typed: `new db.${name}({…})`, meaning: "a new record; save() stores it" }]),
    ...onModel.map(({ usage, meaning }) => ({ typed: `db.${name}.${usage}`, meaning })),
    ...onRecord.map(({ usage, meaning }) => ({ typed: `${name.toLowerCase()}.${usage}`, meaning })),
  ];
}
