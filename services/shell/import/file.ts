/**
 * The batch import file: read, checked as a whole, every problem with its line.
 * @module
 */
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { whyNoPublicKey } from "../../../shared/contract/public_key.ts";
import { messageOf } from "../../../shared/service/errors.ts";
import { oneLine, ShellError } from "../errors.ts";

/** Whatever the database takes for a name: what was exported can be imported. */
const name = z.string("must be text");
const notEmpty = name.min(1, "must not be empty");
/** Values may be empty; a zip code may be a bare number. */
const optionalText = z.string("must be text").nullish();
const zipcode = z.union([z.string(), z.number().transform(String)], "must be text or a number")
  .nullish();

/** `object` decides what becomes of keys that are not known. */
function fileSchema(object: typeof z.object | typeof z.strictObject) {
  const user = object({
    username: name,
    firstname: optionalText,
    lastname: optionalText,
    email: optionalText,
    password: z.string("must be text; put it in quotes").min(1, "must not be empty").nullish(),
    roles: z.array(notEmpty, "must be a list of names of roles").nullish(),
  });
  const organization = object({
    name,
    domain: optionalText,
    address1: optionalText,
    address2: optionalText,
    zipcode,
    country: optionalText,
    public_key: z.string("must be text").superRefine((text, context) => {
      const message = whyNoPublicKey(text);
      if (message) context.addIssue({ code: "custom", message });
    }).nullish(),
    users: z.array(user, "must be a list of users").nullish(),
  });
  const participant = object({ name, api_key: z.uuid("must be a UUID").nullish() });
  const collaboration = object({
    name,
    encrypted: z.boolean("must be true or false").nullish(),
    participants: z.array(participant, "must be a list of participants"),
    tasks: z.array(notEmpty, "must be a list of names of images").nullish(),
  }).refine(
    ({ participants, tasks }) => participants.length > 0 || !tasks?.length,
    { path: ["tasks"], message: "need a participant, whose they are" },
  );
  return object({
    organizations: z.array(organization, "must be a list of organizations").nullish(),
    collaborations: z.array(collaboration, "must be a list of collaborations").nullish(),
  });
}

const exact = fileSchema(z.strictObject);
const tolerant = fileSchema(z.object);
type Contents = z.infer<typeof tolerant>;
type List<Key extends keyof Contents> = NonNullable<Contents[Key]>;
export type OrganizationEntry = List<"organizations">[number];
export type UserEntry = NonNullable<OrganizationEntry["users"]>[number];
export type CollaborationEntry = List<"collaborations">[number];

type Path = PropertyKey[];

export interface ImportDocument {
  organizations: OrganizationEntry[];
  collaborations: CollaborationEntry[];
  /** Sentences for the operator, each with its line. */
  warnings: string[];
  /** The line of something in the file, for a message about it. */
  lineOf(path: Path): number;
  /** The line of something, and what holds it, such as `line 3, user "a" of organization "b"`. */
  whereIs(path: Path): string;
}

/** Reads and checks the file; throws a message that names every problem with its line. */
export async function readImportFile(
  path: string,
  { strict }: { strict: boolean },
): Promise<ImportDocument> {
  let text;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new ShellError(`Cannot read ${path}: ${messageOf(error)}`);
  }
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const line = (offset: number) => counter.linePos(offset).line;
  if (document.errors.length > 0) {
    throw problemsIn(
      path,
      document.errors.map((one) => `line ${line(one.pos[0])}: ${oneLine(one.message)}`),
    );
  }
  const raw: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw problemsIn(path, ["line 1: must hold organizations and collaborations"]);
  }
  const lineOf = (at: Path) => line(offsetOf(document, at));
  const whereIs = (at: Path) => [`line ${lineOf(at)}`, ...placeIn(raw, at)].join(", ");
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const issue of exact.safeParse(raw).error?.issues ?? []) {
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        const at = [`line ${line(keyOffset(document, issue.path, key))}`];
        const where = [...at, ...placeIn(raw, issue.path)].join(", ") +
          `: the key ${key} is not known`;
        if (strict) problems.push(where);
        else warnings.push(`${where}; it is ignored`);
      }
    } else {
      problems.push(`${whereIs(issue.path)}: ${wordsFor(issue.path)} ${missing(raw, issue)}`);
    }
  }
  if (problems.length > 0) throw problemsIn(path, problems);
  const contents = tolerant.parse(raw);
  const organizations = contents.organizations ?? [];
  const collaborations = contents.collaborations ?? [];
  const repeated = repetitions(organizations, collaborations)
    .map(({ path, what, first }) => `${whereIs(path)}: ${what}, as in line ${lineOf(first)}`);
  if (repeated.length > 0) throw problemsIn(path, repeated);
  return { organizations, collaborations, warnings, lineOf, whereIs };
}

/** A message that names the file and the lines. */
export class ImportProblem extends ShellError {
  override readonly name = "ImportProblem";
}

/** One line for all problems of a file. */
export function problemsIn(path: string, problems: string[]): ImportProblem {
  return new ImportProblem(`${path} is not imported, nothing was changed: ${problems.join("; ")}`);
}

const ENTRIES: Record<string, string> = {
  organizations: "organization",
  users: "user",
  collaborations: "collaboration",
  participants: "participant",
  roles: "role",
  tasks: "task",
};

/**
 * `["organizations", 0, "users", 1, "email"]` as `user "b" of organization "a"`; none at the top.
 */
function placeIn(raw: unknown, path: Path): string[] {
  const places: string[] = [];
  let held = raw as Record<PropertyKey, unknown> | null | undefined;
  for (const [at, step] of path.entries()) {
    held = held?.[step] as typeof held;
    if (typeof step !== "number") continue;
    const name = typeof held === "object" ? held?.name ?? held?.username : held;
    const called = typeof name === "string" ? JSON.stringify(name) : String(step + 1);
    places.unshift(`${ENTRIES[String(path[at - 1])] ?? "entry"} ${called}`);
  }
  return places.length > 0 ? [places.join(" of ")] : [];
}

/** `users[1].roles` of an organization as `roles`; where it is says the rest. */
function wordsFor(path: Path): string {
  const names = path.filter((one) => typeof one === "string");
  const last = path.at(-1);
  return typeof last === "number"
    ? `an entry of ${names.at(-1) ?? "the file"}`
    : names.at(-1) ?? "the file";
}

function missing(raw: unknown, issue: { path: Path; message: string }): string {
  let value: unknown = raw;
  for (const step of issue.path) value = (value as Record<PropertyKey, unknown> | null)?.[step];
  return value === undefined || value === null ? "is missing" : issue.message;
}

/** Where something begins, or else what holds it. */
function offsetOf(document: Document, path: Path): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function keyOffset(document: Document, path: Path, key: string): number {
  const holder = path.length === 0 ? document.contents : document.getIn(path, true);
  if (isMap(holder)) {
    for (const pair of holder.items) {
      if (isScalar(pair.key) && String(pair.key.value) === key && pair.key.range) {
        return pair.key.range[0];
      }
    }
  }
  return offsetOf(document, path);
}

interface Repetition {
  path: Path;
  what: string;
  first: Path;
}

/** What must be in the file only once, and is there again. */
function repetitions(
  organizations: OrganizationEntry[],
  collaborations: CollaborationEntry[],
): Repetition[] {
  const found: Repetition[] = [];
  const seen = new Map<string, Path>();
  function once(kind: string, value: string | null | undefined, path: Path, shown = true) {
    if (value === null || value === undefined) return;
    const key = `${kind}\n${value}`;
    const first = seen.get(key);
    if (!first) seen.set(key, path);
    else {found.push({
        path,
        first,
        what: shown ? `the ${kind} ${JSON.stringify(value)} again` : `the same ${kind} again`,
      });}
  }
  organizations.forEach((organization, at) => {
    once("organization", organization.name, ["organizations", at, "name"]);
    organization.users?.forEach((user, place) => {
      const path = ["organizations", at, "users", place];
      once("user name", user.username, [...path, "username"]);
      once("e-mail address", user.email?.toLowerCase(), [...path, "email"]);
    });
  });
  collaborations.forEach((collaboration, at) => {
    once("collaboration", collaboration.name, ["collaborations", at, "name"]);
    collaboration.participants.forEach((participant, place) => {
      const path = ["collaborations", at, "participants", place];
      once(`participant of ${collaboration.name}`, participant.name, [...path, "name"]);
      once("API key", participant.api_key, [...path, "api_key"], false);
    });
  });
  return found;
}
