/**
 * The owner's rules about what may run at this data station, and what they are asked about.
 *
 * They are pure decisions (`decide_task.ts`, `decide_call.ts`), made for every attempt, subtasks
 * included: a subtask is not trusted more than the task that made it. Whose a listed name is,
 * `known_names.ts` remembers. Once anything of a kind is listed, all else of that kind is refused.
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
  /** False refuses calls that choose rows by a condition. */
  allowWhere?: boolean | undefined;
}

/** Who is asking. The name is needed where names are listed. */
export interface Caller {
  id: number;
  name?: string | null | undefined;
  /** Whose the name has been so far, where that is somebody else: then it does not count. */
  nameIsOf?: number | undefined;
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

export const ALLOWED: Decision = { allowed: true };

/** The decision against `what`, in a sentence that names the rule. */
export function refuse(what: string, rule: string): Decision {
  return { allowed: false, reason: `This node does not allow ${what}: ${rule}.` };
}

/** The first decision that refuses, or the permission of all of them. */
export function decideAll(...decisions: (() => Decision)[]): Decision {
  for (const decide of decisions) {
    const decision = decide();
    if (!decision.allowed) return decision;
  }
  return ALLOWED;
}
