/**
 * What stands in the form of a task, and what follows from it. No I/O.
 * @module
 */
import type { Algorithm } from "../../../shared/contract/algorithm.ts";
import type { NewTask } from "../../client/mod.ts";
import { newTask } from "../texts/new_task.ts";
import {
  columnsOf,
  type FieldValue,
  fieldValueOf,
  type Method,
  methodsOf,
  type OfferedMethod,
  type Question,
  readArguments,
  sharedBy,
  type Site,
  sitesOfStudy,
  type There,
  usualSites,
} from "./draft.ts";
import type { Earlier } from "./earlier_task.ts";

/** In place of an algorithm that nodes tell of. */
export const OTHER = "other";

/** As people fill it in. */
export interface Draft {
  /** Of an algorithm that nodes tell of, or {@linkcode OTHER}. */
  algorithmKey: string;
  /** Of another one. */
  image: string;
  /** Of the store that has to have approved it. */
  storeId: number | undefined;
  method: string;
  /** By the name of the argument; what nobody has touched is not there. */
  fields: Record<string, FieldValue>;
  /** The arguments of a method that is not described. */
  json: string;
  studyId: number | undefined;
  /** `undefined`: those that the method is meant for. */
  organizations: ReadonlySet<number> | undefined;
  database: string;
  name: string;
  description: string;
  timeout: string;
  keepGoing: boolean;
}

export interface Derived {
  algorithm: Algorithm | undefined;
  /** What may be called; none where nobody tells. */
  methods: OfferedMethod[];
  /** The one that is called, as far as it is described. */
  method: Method | undefined;
  /** What each of its fields holds. */
  values: Record<string, FieldValue>;
  /**
   * What is wrong, by the name of the argument, or of `json`, `image`, `timeout`, `organizations`.
   */
  wrong: Record<string, string>;
  isGood: boolean;
  /** Those of the study. */
  sites: Site[];
  /** Those to which it goes. */
  going: Site[];
  /** Labels that owners share, and the one that is meant. */
  labels: string[];
  label: string;
  needsDatabase: boolean;
  columns: string[];
  question: Question;
  task: NewTask;
}

/** The form at first: empty, or filled in from an earlier task. */
export function beginning({ algorithms }: There, earlier: Earlier | undefined): Draft {
  const first = earlier
    ? algorithms.find(({ image }) => image === earlier.image)
    : algorithms.find(({ online }) => online) ?? algorithms[0];
  const kwargs = earlier?.call?.kwargs ?? {};
  const described = first?.description?.methods[earlier?.call?.method ?? ""]?.arguments ?? {};
  return {
    algorithmKey: first ? keyOf(first) : OTHER,
    image: first ? "" : earlier?.image ?? "",
    storeId: undefined,
    method: earlier?.call?.method ?? "",
    fields: Object.fromEntries(
      Object.entries(described).filter(([name]) => Object.hasOwn(kwargs, name))
        .map(([name, argument]) => [name, fieldValueOf(argument, kwargs[name])]),
    ),
    json: JSON.stringify(kwargs),
    studyId: earlier?.studyId,
    organizations: earlier && new Set(earlier.organizationIds),
    database: earlier?.databases[0] ?? "",
    name: earlier?.name ?? "",
    description: earlier?.description ?? "",
    timeout: "",
    keepGoing: false,
  };
}

/** Two sites may hold different code under one name; each is an entry of its own. */
export function keyOf({ image, digest }: Algorithm): string {
  return `${image} ${digest}`;
}

export function deriveDraft(draft: Draft, there: There): Derived {
  const { collaboration, algorithms, studies, me } = there;
  const algorithm = algorithms.find((one) => keyOf(one) === draft.algorithmKey);
  const image = algorithm?.image ?? draft.image.trim();
  const methods = algorithm ? methodsOf(algorithm) : [];
  const methodName = nameOfMethod(draft.method, methods);
  const method = algorithm?.description?.methods[methodName];

  const sites = sitesOfStudy(there.sites, studies.find(({ id }) => id === draft.studyId));
  const usual = usualSites(sites, { algorithm, method: methodName, ownId: me.organizationId });
  const isMeant = (id: number) => draft.organizations?.has(id) ?? usual.includes(id);
  const going = sites.filter(({ organization }) => isMeant(organization.id));
  const labels = [...new Set(sites.flatMap(({ node }) => sharedBy(node, "database_labels")))];
  const label = draft.database || labels[0] || "default";
  const needsDatabase = (algorithm?.description?.databases ?? 1) > 0;
  const databases = needsDatabase ? [label] : [];

  const values = Object.fromEntries(
    Object.entries(method?.arguments ?? {})
      .map(([name, argument]) => [name, draft.fields[name] ?? fieldValueOf(argument)]),
  );
  const { kwargs, wrong } = method
    ? readArguments(methodName, method.arguments, values)
    : readJsonArguments(draft.json);
  const seconds = draft.timeout.trim() === "" ? undefined : Number(draft.timeout);
  const isTime = seconds === undefined || (Number.isSafeInteger(seconds) && seconds > 0);
  if (!isTime) wrong.timeout = newTask.badTimeout;
  if (image === "") wrong.image = newTask.noImage;
  if (going.length === 0) wrong.organizations = newTask.chooseOrganization;

  return {
    algorithm,
    methods,
    method,
    values,
    wrong,
    isGood: Object.keys(wrong).length === 0,
    sites,
    going,
    labels,
    label,
    needsDatabase,
    columns: columnsOf(sites, label),
    question: {
      image,
      algorithm,
      method: methodName,
      databases,
      encrypted: collaboration.encrypted,
      me,
    },
    task: {
      image,
      collaboration: collaboration.id,
      study: draft.studyId,
      storeId: draft.storeId,
      organizations: going.map(({ organization }) => organization.id),
      input: { method: methodName, kwargs },
      databases,
      name: draft.name || undefined,
      description: draft.description || undefined,
      timeoutSeconds: seconds,
      keepGoing: draft.keepGoing || undefined,
    },
  };
}

function nameOfMethod(wanted: string, methods: readonly OfferedMethod[]): string {
  if (methods.length === 0) return wanted || "central";
  const found = methods.find(({ name }) => name === wanted) ??
    methods.find(({ name }) => name === "central") ?? methods[0]!;
  return found.name;
}

function readJsonArguments(
  text: string,
): { kwargs: Record<string, unknown>; wrong: Record<string, string> } {
  try {
    const value: unknown = JSON.parse(text.trim() === "" ? "{}" : text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return { kwargs: value as Record<string, unknown>, wrong: {} };
    }
    return { kwargs: {}, wrong: { json: newTask.notObject } };
  } catch {
    return { kwargs: {}, wrong: { json: newTask.notJson } };
  }
}
