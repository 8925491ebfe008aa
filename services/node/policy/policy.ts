/**
 * What may run at this data station: the owner's rules, as pure decisions. Evaluated for every attempt, subtasks
 * included: a subtask is not trusted more than the task that made it. Once anything of a kind is listed, all else of that
 * kind is refused.
 * @module
 */

export type Decision = { allowed: true } | { allowed: false; reason: string };

/** What a method may be called with; each left out means anything. */
export interface MethodRule {
  /** The named arguments that may be given, each with the values it may have. */
  arguments?: Record<string, "any" | readonly unknown[]> | undefined;
  minimumOrganizations?: number | undefined;
}

export interface AlgorithmRule extends Pick<MethodRule, "minimumOrganizations"> {
  /** An entry as in `allowed_algorithms`. */
  name: string;
  /** Labels of the databases it may see. */
  databases?: readonly string[] | undefined;
  methods?: Record<string, MethodRule> | undefined;
}

export interface Policy {
  allowedAlgorithms?: readonly string[] | undefined;
  algorithms?: readonly AlgorithmRule[] | undefined;
  /** Addresses of algorithm stores, or patterns of them. */
  allowedStores?: readonly string[] | undefined;
  /** Whether one of the two, the algorithm or its store being listed, is enough. */
  eitherAlgorithmOrStore?: boolean | undefined;
  /** False refuses v6's basics image, whatever the lists say; true exempts it from none of them. */
  allowBasics?: boolean | undefined;
  /** By id or by name. */
  allowedUsers?: readonly (number | string)[] | undefined;
  allowedOrganizations?: readonly (number | string)[] | undefined;
  /** How many organizations must have a share in a task. */
  minimumOrganizations?: number | undefined;
}

/** Who is asking. The name is needed where names are listed. */
export interface Caller {
  id: number;
  name?: string | null | undefined;
}

/** What is known of a task before its input is. */
export interface TaskRequest {
  image: string;
  /** The address of the algorithm store that the image comes from, if it comes from one. */
  store?: string | null | undefined;
  /** Who posted the task, or the one that it is a subtask of. */
  user: Caller;
  /** That of the user, or, for a subtask, of the node with the central part. */
  organization: Caller;
  /** Labels. */
  databases: readonly string[];
}

/** What an algorithm is called with, and how many organizations have a share in the task. */
export interface CallRequest {
  image: string;
  method: string;
  args: readonly unknown[];
  kwargs: Record<string, unknown>;
  organizations: number;
}

/** Decides on a task by its algorithm, who posted it, and the databases it asks for. */
export function decideTask(task: TaskRequest, policy: Policy): Decision {
  return first(
    () => decideBasics(task.image, policy),
    () => decideAlgorithm(task, policy),
    () => decideVersion(task, policy),
    () => decideCaller(task, policy),
    () => decideDatabases(task, policy),
  );
}

/** Decides on the call itself. */
export function decideCall(call: CallRequest, policy: Policy): Decision {
  const rule = ruleFor(call.image, policy);
  const methods = rule?.methods;
  const method = methods && Object.hasOwn(methods, call.method) ? methods[call.method] : undefined;
  if (methods && !method) {
    return refuse(
      `the method "${call.method}" of ${call.image}`,
      `it is not in policies.algorithms of ${rule.name}, which lists the methods ${
        Object.keys(methods).join(", ") || "none"
      }`,
    );
  }
  return first(
    () => decideArguments(call, method),
    () => {
      const least = method?.minimumOrganizations ?? rule?.minimumOrganizations ??
        policy.minimumOrganizations ?? 1;
      if (call.organizations >= least) return ALLOWED;
      return refuse(
        `a task for ${call.organizations} organization(s)`,
        `policies demand minimum_organizations of ${least} for the method "${call.method}"`,
      );
    },
  );
}

/** Whether a decision on a call of this algorithm depends on its method or its arguments. */
export function readsCalls(image: string, policy: Policy): boolean {
  return ruleFor(image, policy)?.methods !== undefined;
}

/** Whether a decision on a call depends on the number of organizations. */
export function countsOrganizations(policy: Policy): boolean {
  return policy.minimumOrganizations !== undefined ||
    (policy.algorithms ?? []).some((rule) =>
      rule.minimumOrganizations !== undefined ||
      Object.values(rule.methods ?? {}).some((method) => method.minimumOrganizations !== undefined)
    );
}

/** Whether an entry of a list of algorithms is a pattern and not a reference. */
export function isPattern(entry: string): boolean {
  return /[*\\?$^[\](){}|+]/.test(entry);
}

/**
 * Whether an entry stands for an algorithm: exactly; as its name without version, tag or digest; as a digest; or
 * as a pattern, of all of it.
 */
export function matches(entry: string, image: string): boolean {
  if (entry === image || entry === nameOf(image)) return true;
  const digest = /(?:@|#sha256=)((?:sha256:)?[0-9a-f]{64})$/.exec(image)?.[1];
  if (digest && bare(digest) === bare(entry)) return true;
  if (digest && entry === `${nameOf(image)}@${digest}`) return true;
  return matchesPattern(entry, image);
}

/** Whether an entry is a pattern, and of all of a text, not only of a part. */
function matchesPattern(entry: string, text: string): boolean {
  return isPattern(entry) && new RegExp(`^(?:${entry})$`, "u").test(text);
}

function bare(digest: string): string {
  return digest.replace(/^sha256:/, "");
}

/** The image with which v6's user interface asks for the names of columns. */
const BASICS = "harbor2.vantage6.ai/algorithms/basics";

function decideBasics(image: string, { allowBasics }: Policy): Decision {
  const name = nameOf(image).replace(/^([^/]+):443\//, "$1/");
  if (allowBasics !== false || name !== BASICS) return ALLOWED;
  return refuse(`the algorithm ${image}`, "policies.allow_basics_algorithm is false");
}

/** Each of the two kinds of lists that is there must have the task; where the owner says so, one of them is enough. */
function decideAlgorithm({ image, store }: TaskRequest, policy: Policy): Decision {
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
 * Refuses a version of an algorithm that no rule is for, where there is a rule for another one.
 * The same code may stand under another tag or under its digest, and must not escape its rules by
 * that, whatever else lists it.
 */
function decideVersion({ image }: TaskRequest, policy: Policy): Decision {
  if (ruleFor(image, policy)) return ALLOWED;
  const repository = repositoryOf(image);
  const other = policy.algorithms?.find(({ name }) => namesRepository(name, repository));
  if (!other) return ALLOWED;
  return refuse(
    `the algorithm ${image}`,
    `policies.algorithms has a rule for ${other.name}, and none for this version`,
  );
}

/** Whether an entry is for any version of what is in a repository. */
function namesRepository(entry: string, repository: string): boolean {
  if (!isPattern(entry)) return repositoryOf(entry) === repository;
  // What stands before a version in a pattern: "x/(a|b)" of "x/(a|b):1" and "x/a" of "x/a(:1|:2)".
  return [...entry.matchAll(/[:@#(]/g)].some(({ index }) => {
    const start = entry.slice(0, index);
    return isWhole(start) && new RegExp(`^(?:${start})$`, "u").test(repository);
  });
}

function isWhole(pattern: string): boolean {
  try {
    return Boolean(new RegExp(pattern, "u"));
  } catch {
    return false;
  }
}

/** The name without a version, in the shortest of the forms in which a registry knows it. */
function repositoryOf(image: string): string {
  return nameOf(image)
    .replace(/^([^/]+):443\//, "$1/")
    .replace(/^(?:(?:index\.|registry-1\.)?docker\.io\/)(?:library\/)?/, "");
}

/** What keeps an algorithm from being allowed by name: `""` for nothing, `undefined` where no algorithms are listed. */
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

/** The same for the store that it comes from. */
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
    allowedUsers && `${shown("user", user, allowedUsers)} is not in policies.allowed_users`,
    allowedOrganizations &&
    `${shown("organization", organization, allowedOrganizations)} is not in ` +
      "policies.allowed_organizations",
  ];
  return refuse("this task", misses.filter(Boolean).join(", and "));
}

/** Numbers are ids and texts are names, never the other way round. */
function isListed({ id, name }: Caller, list: readonly (number | string)[]): boolean {
  return list.some((one) => typeof one === "number" ? one === id : one === name);
}

function shown(kind: string, { id, name }: Caller, list: readonly (number | string)[]): string {
  if (typeof name === "string") return `${kind} ${id} (${JSON.stringify(name)})`;
  // Tasks from before the hub kept names have none, and may then be allowed by id alone.
  const asked = list.some((one) => typeof one === "string");
  return asked ? `${kind} ${id}, whose name the hub did not tell,` : `${kind} ${id}`;
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

function decideArguments({ method, args, kwargs }: CallRequest, rule?: MethodRule): Decision {
  if (!rule?.arguments) return ALLOWED;
  if (args.length > 0) {
    return refuse(
      `arguments without names for the method "${method}"`,
      "policies.algorithms lists its arguments by name",
    );
  }
  for (const [name, value] of Object.entries(kwargs)) {
    const what = `the argument "${name}" of the method "${method}"`;
    const allowed = Object.hasOwn(rule.arguments, name) ? rule.arguments[name]! : undefined;
    if (allowed === undefined) return refuse(what, "it is not listed in policies.algorithms");
    // An empty list has no value that is listed; it may mean "all" to an algorithm.
    const values = Array.isArray(value) && value.length > 0 ? value : [value];
    if (allowed !== "any" && !values.every((one) => allowed.includes(one))) {
      return refuse(`that value of ${what}`, "it is not listed in policies.algorithms");
    }
  }
  return ALLOWED;
}

/** The first rule that names the algorithm; it alone counts. */
function ruleFor(image: string, { algorithms }: Policy): AlgorithmRule | undefined {
  return algorithms?.find(({ name }) => matches(name, image));
}

const ALLOWED: Decision = { allowed: true };

function first(...rules: (() => Decision)[]): Decision {
  for (const rule of rules) {
    const decision = rule();
    if (!decision.allowed) return decision;
  }
  return ALLOWED;
}

function refuse(what: string, rule: string): Decision {
  return { allowed: false, reason: `This node does not allow ${what}: ${rule}.` };
}

function isOwnAlgorithm(image: string): boolean {
  return /^deno:[A-Za-z0-9_-]+@[A-Za-z0-9.+_-]+$/.test(image);
}

/** The reference without its version: no `@version`, `#sha256=…`, `:tag` or `@digest`. What is malformed stays. */
function nameOf(image: string): string {
  if (/^deno:https?:/i.test(image)) return image.replace(/#.*$/, "");
  if (image.startsWith("deno:")) return image.replace(/@[A-Za-z0-9.+_-]+$/, "");
  // A colon before the last slash is a registry's port.
  return image.replace(/@sha256:[0-9a-f]{64}$/, "").replace(/:[\w][\w.-]*$/, "");
}
