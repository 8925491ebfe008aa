/**
 * A task that is being written: what may be called, what its arguments become, where it goes, and
 * what is known to refuse it. No I/O.
 * @module
 */
import type { AlgorithmStore } from "../../../shared/contract/algorithm_store.ts";
import type { Organization } from "../../../shared/contract/organization.ts";
import type { Algorithm } from "../../../shared/contract/algorithm.ts";
import type { Collaboration } from "../../../shared/contract/collaboration.ts";
import type { Node } from "../../../shared/contract/node.ts";
import type { Study } from "../../../shared/contract/study.ts";
import type { ToldDescription } from "../../../shared/node_protocol/description.ts";
import { checkArguments } from "../../node/algorithms/sextant/description.ts";
import { newTask } from "../texts/new_task.ts";

export type Method = ToldDescription["methods"][string];
export type Argument = Method["arguments"][string];

/** What a field of the form holds. */
export type FieldValue = string | readonly string[] | boolean;

export interface OfferedMethod {
  name: string;
  label: string;
  help?: string;
}

/** What of an algorithm may be called, as far as anybody tells. */
export function methodsOf(algorithm: Algorithm): OfferedMethod[] {
  const described = Object.entries(algorithm.description?.methods ?? {});
  if (described.length > 0) {
    return described.filter(([, method]) => !method.internal)
      .map(([name, { label, help }]) => ({ name, label: label ?? name, help }));
  }
  const told = new Set(algorithm.nodes.flatMap(({ methods }) => methods));
  return [...told].map((name) => ({ name, label: name }));
}

/** The newest first, one entry for each code that runs under a name. */
export function sorted(all: readonly Algorithm[]): Algorithm[] {
  return [...all].sort((one, other) => one.image.localeCompare(other.image, "en"));
}

/** What the form shows at first. */
export function fieldValueOf(
  { type, default: usual }: Argument,
  given: unknown = usual,
): FieldValue {
  if (type === "boolean") return given === true;
  if (type === "columns" || type === "organizations") {
    return Array.isArray(given) ? given.map(String) : [];
  }
  if (given === undefined || given === null) return "";
  if (type === "list" || type === "object") return JSON.stringify(given);
  return String(given);
}

/** The argument that a field stands for; `undefined` where it is left out. Throws a sentence. */
export function argumentOf({ type, choices }: Argument, field: FieldValue): unknown {
  if (typeof field === "boolean") return field;
  if (typeof field !== "string") {
    if (field.length === 0) return undefined;
    return type === "organizations" ? field.map(Number) : [...field];
  }
  const text = type === "text" ? field : field.trim();
  if (text === "") return undefined;
  switch (type) {
    case "number":
    case "integer":
      // What is no number is told of by the check, in the description's own words.
      return Number.isNaN(Number(text)) ? text : Number(text);
    case "choice":
      return choices?.find((one) => String(one) === text) ?? text;
    case "list":
    case "object":
      return readJson(text);
    case "columns":
      return text.split(",").map((one) => one.trim()).filter((one) => one !== "");
    default:
      return text;
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError(newTask.notJson);
  }
}

export interface ReadArguments {
  kwargs: Record<string, unknown>;
  /** What is wrong with each field. */
  wrong: Record<string, string>;
}

/** All fields of a method, checked against its description. */
export function readArguments(
  method: string,
  described: Method["arguments"],
  fields: Readonly<Record<string, FieldValue>>,
): ReadArguments {
  const kwargs: Record<string, unknown> = {};
  const wrong: Record<string, string> = {};
  for (const [name, argument] of Object.entries(described)) {
    try {
      const value = argumentOf(argument, fields[name] ?? fieldValueOf(argument));
      const given = value === undefined ? {} : { [name]: value };
      // The check is the algorithm's own; its types know no `undefined`.
      const alone = { arguments: { [name]: argument } } as Parameters<typeof checkArguments>[1];
      checkArguments(method, alone, { kwargs: given });
      Object.assign(kwargs, given);
    } catch (error) {
      wrong[name] = (error as Error).message;
    }
  }
  return { kwargs, wrong };
}

export interface Site {
  organization: Pick<Organization, "id" | "name" | "public_key">;
  /** Of this collaboration; most have one. */
  node: Node | undefined;
}

/** A collaboration, and what a task may be made of there. */
export interface There {
  collaboration: Collaboration;
  algorithms: Algorithm[];
  sites: Site[];
  /** Those that the collaboration is linked to. */
  stores: Pick<AlgorithmStore, "id" | "name">[];
  /** With their members. */
  studies: Study[];
  me: { id: number; username: string; organizationId: number };
}

/** The sites of a study, or all of the collaboration. */
export function sitesOfStudy(sites: Site[], study: Study | undefined): Site[] {
  if (!study || !Array.isArray(study.organizations)) return sites;
  const members = new Set(study.organizations.map(({ id }) => id));
  return sites.filter(({ organization }) => members.has(organization.id));
}

/** A method that asks others itself goes to one organization, any other to all that can run it. */
export function usualSites(
  sites: readonly Site[],
  { algorithm, method, ownId }: { algorithm: Algorithm | undefined; method: string; ownId: number },
): number[] {
  const described = algorithm?.description?.methods[method];
  const asksOthers = described ? described.rounds !== undefined : method === "central";
  if (asksOthers || method === "central") {
    const withNode = sites.filter(({ node }) => node !== undefined);
    const one = withNode.find(({ organization }) => organization.id === ownId) ?? withNode[0];
    return one ? [one.organization.id] : [];
  }
  const able = sites.filter((site) => toldBy(site, algorithm)?.methods.includes(method));
  return (able.length > 0 ? able : sites).map(({ organization }) => organization.id);
}

function toldBy({ node }: Site, algorithm: Algorithm | undefined) {
  return node && algorithm?.nodes.find(({ id }) => id === node.id);
}

/** What the owner of a node lets the hub know of its configuration, under a key. */
export function sharedBy(node: Node | undefined, key: string): string[] {
  return (node?.config ?? []).filter((entry) => entry.key === key).map(({ value }) => value);
}

export interface Question {
  image: string;
  algorithm: Algorithm | undefined;
  method: string;
  databases: readonly string[];
  encrypted: boolean;
  me: There["me"];
}

/** Why a site is known to refuse the task, or not to take it up now: from what its owner shares. */
export function troubleAt(site: Site, question: Question): string[] {
  const { node } = site;
  const words = newTask.trouble;
  if (!node) return [words.noNode];
  const trouble: string[] = [];
  if (node.status !== "online") trouble.push(words.offline);
  const { algorithm, image, method, me } = question;
  const told = toldBy(site, algorithm);
  if (algorithm && !told) trouble.push(words.notTold);
  else if (told && !told.methods.includes(method)) trouble.push(words.noMethod(method));
  const allowed = sharedBy(node, "allowed_algorithms");
  if (!algorithm && allowed.length > 0 && !allowed.some((pattern) => fits(pattern, image))) {
    trouble.push(words.notAllowed(image));
  }
  const [encryption] = sharedBy(node, "encryption");
  if (encryption !== undefined && (encryption === "true") !== question.encrypted) {
    trouble.push(words.encryption);
  }
  const users = sharedBy(node, "allowed_users");
  const organizations = sharedBy(node, "allowed_orgs");
  const isWelcome = users.includes(String(me.id)) || users.includes(me.username) ||
    organizations.includes(String(me.organizationId));
  if (users.length + organizations.length > 0 && !isWelcome) trouble.push(words.notWelcome);
  const labels = sharedBy(node, "database_labels");
  for (const label of question.databases) {
    if (labels.length > 0 && !labels.includes(label)) trouble.push(words.noDatabase(label));
  }
  return trouble;
}

/** Owners write an address, or a pattern of a whole one. */
function fits(pattern: string, image: string): boolean {
  if (pattern === image) return true;
  try {
    return new RegExp(`^(?:${pattern})$`).test(image);
  } catch {
    return false;
  }
}

/** The columns that all of these sites share of a database; none where nobody shares names. */
export function columnsOf(sites: readonly Site[], label: string): string[] {
  const lists = sites.map(({ node }) => sharedBy(node, `columns_${label}`))
    .filter((list) => list.length > 0);
  const [first = [], ...others] = lists;
  return first.filter((name) => others.every((list) => list.includes(name)));
}
