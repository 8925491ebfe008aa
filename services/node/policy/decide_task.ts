/**
 * Whether a task may run here, as far as that can be told before its input is known.
 * @module
 */
import {
  ALLOWED,
  type Caller,
  decideAll,
  type Decision,
  type Policy,
  refuse,
  type TaskRequest,
} from "./policy.ts";
import {
  matches,
  matchesPattern,
  nameOf,
  normalName,
  ruleFor,
  ruleForOtherVersion,
} from "./references.ts";

/** Decides on a task by its algorithm, who posted it, and the databases it asks for. */
export function decideTask(task: TaskRequest, policy: Policy): Decision {
  return decideAll(
    () => decideBasics(task.image, policy),
    () => decideAlgorithm(task, policy),
    () => decideVersion(task, policy),
    () => decideCaller(task, policy),
    () => decideDatabases(task, policy),
  );
}

/**
 * Whether a task is allowed only because of the store that it comes from: then that store has to
 * say so itself.
 */
export function restsOnStore(task: TaskRequest, policy: Policy): boolean {
  return Boolean(task.store) && decideTask(task, policy).allowed &&
    !decideTask({ ...task, store: null }, policy).allowed;
}

/** Whether some task may run the algorithm, one that comes from no algorithm store. */
export function mayRun(image: string, policy: Policy): boolean {
  const decision = decideAll(
    () => decideBasics(image, policy),
    () => decideAlgorithm({ image }, policy),
    () => decideVersion({ image }, policy),
  );
  return decision.allowed;
}

/**
 * The image with which v6's user interface asks for the names of columns, before 4.15 and since.
 */
const BASICS = ["harbor2.vantage6.ai/algorithms/basics", "ghcr.io/vantage6/algorithm-basics"];

function decideBasics(image: string, { allowBasics }: Policy): Decision {
  if (allowBasics !== false || !BASICS.includes(normalName(nameOf(image)))) return ALLOWED;
  return refuse(`the algorithm ${image}`, "policies.allow_basics_algorithm is false");
}

/**
 * Each of the two kinds of lists that is there must have the task; where the owner says so, one of
 * them is enough.
 */
function decideAlgorithm(
  { image, store }: Pick<TaskRequest, "image" | "store">,
  policy: Policy,
): Decision {
  const what = `the algorithm ${image}`;
  const misses = [missingInAlgorithms(image, policy), missingInStores(store, policy)];
  if (misses.every((miss) => miss === undefined)) {
    if (isOwnAlgorithm(image)) return ALLOWED;
    const kind = image.startsWith("deno:") ? "not one of the node's own" : "a container image";
    return refuse(
      what,
      `it is ${kind}, and no policies.allowed_algorithms are configured here, so only algorithms ` +
        "from the node's own folders (deno:<name>@<version>) may run",
    );
  }
  // A list that is not there has nothing on it: it neither refuses nor, as one of two, is enough.
  const passed = policy.eitherAlgorithmOrStore
    ? misses.includes("")
    : misses.every((miss) => !miss);
  return passed ? ALLOWED : refuse(what, misses.filter(Boolean).join(", and "));
}

/**
 * Refuses a version of an algorithm that no rule is for, where there is a rule for another one. The
 * same code may stand under another tag or under its digest, and must not escape its rules by that,
 * whatever else lists it.
 */
function decideVersion({ image }: Pick<TaskRequest, "image">, policy: Policy): Decision {
  if (ruleFor(image, policy)) return ALLOWED;
  const other = ruleForOtherVersion(image, policy);
  if (!other) return ALLOWED;
  return refuse(
    `the algorithm ${image}`,
    `policies.algorithms has a rule for ${other.name}, and none for this version`,
  );
}

/**
 * What keeps an algorithm from being allowed by name: `""` for nothing, `undefined` where no
 * algorithms are listed.
 */
function missingInAlgorithms(image: string, policy: Policy): string | undefined {
  const { allowedAlgorithms, algorithms } = policy;
  if (allowedAlgorithms === undefined && algorithms === undefined) return undefined;
  if (allowedAlgorithms?.some((entry) => matches(entry, image))) return "";
  if (ruleFor(image, policy)) return "";
  if ([...allowedAlgorithms ?? [], ...algorithms ?? []].length === 0) {
    return "policies.allowed_algorithms is empty, so nothing may run";
  }
  const lists = [
    allowedAlgorithms && "policies.allowed_algorithms",
    algorithms && "policies.algorithms",
  ];
  return `it is not in ${lists.filter(Boolean).join(" or ")}`;
}

/** What keeps an algorithm from being allowed by the store that it comes from, in the same way. */
function missingInStores(
  store: TaskRequest["store"],
  { allowedStores }: Policy,
): string | undefined {
  if (allowedStores === undefined) return undefined;
  if (!store) {
    return "it comes from no algorithm store, and policies.allowed_algorithm_stores ask for one";
  }
  const url = store.replace(/\/+$/, "");
  const listed = allowedStores.some((entry) =>
    entry.replace(/\/+$/, "") === url || matchesPattern(entry, url)
  );
  return listed ? "" : `its store ${url} is not in policies.allowed_algorithm_stores`;
}

/** Where both users and organizations are listed, one of the two is enough. */
function decideCaller({ user, organization }: TaskRequest, policy: Policy): Decision {
  const { allowedUsers, allowedOrganizations } = policy;
  if (!allowedUsers && !allowedOrganizations) return ALLOWED;
  if (allowedUsers && isListed(user, allowedUsers)) return ALLOWED;
  if (allowedOrganizations && isListed(organization, allowedOrganizations)) return ALLOWED;
  const misses = [
    allowedUsers && missing("user", user, allowedUsers),
    allowedOrganizations && missing("organization", organization, allowedOrganizations),
  ];
  return refuse("this task", misses.filter(Boolean).join(", and "));
}

/** Numbers are ids and texts are names, never the other way round. */
function isListed({ id, name, nameIsOf }: Caller, list: readonly (number | string)[]): boolean {
  return list.some((one) =>
    typeof one === "number" ? one === id : one === name && nameIsOf === undefined
  );
}

/**
 * Why nobody of that kind is let in, and, where a listed name is another one's than before, what
 * the owner may do.
 */
function missing(
  kind: "user" | "organization",
  caller: Caller,
  list: readonly (number | string)[],
): string {
  const option = `policies.allowed_${kind}s`;
  const { id, name, nameIsOf } = caller;
  if (nameIsOf === undefined) return `${shown(kind, caller, list)} is not in ${option}`;
  return `${shown(kind, caller, list)} is not whom that name in ${option} has stood for so far, ` +
    `${kind} ${nameIsOf}; if the node's owner means ${kind} ${id}, the owner writes that id into the ` +
    `list, or types: deno task node accept-name ${kind} ${quoted(name!)} ${id} --config node.yaml`;
}

/** As one word of a shell's line. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function shown(kind: string, { id, name }: Caller, list: readonly (number | string)[]): string {
  if (typeof name === "string") return `${kind} ${id} (${JSON.stringify(name)})`;
  // Tasks from before the hub kept names have none, and may then be allowed by id alone.
  const asked = list.some((one) => typeof one === "string");
  return asked ? `${kind} ${id}, whose name the hub did not tell,` : `${kind} ${id}`;
}

function isOwnAlgorithm(image: string): boolean {
  return /^deno:[A-Za-z0-9_-]+@[A-Za-z0-9.+_-]+$/.test(image);
}

function decideDatabases({ image, databases }: TaskRequest, policy: Policy): Decision {
  const rule = ruleFor(image, policy);
  const refused = rule?.databases && databases.find((label) => !rule.databases!.includes(label));
  if (refused === undefined) return ALLOWED;
  return refuse(
    `the database "${refused}" for the algorithm ${image}`,
    `policies.algorithms of ${rule!.name} lists the databases ${
      rule!.databases!.join(", ") || "none"
    }`,
  );
}
