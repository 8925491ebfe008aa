/**
 * Whether an algorithm may be called so here.
 * @module
 */
import {
  ALLOWED,
  type CallRequest,
  decideAll,
  type Decision,
  type MethodRule,
  type Policy,
  refuse,
} from "./policy.ts";
import { ruleFor } from "./references.ts";

/** Decides on a call by its method, its arguments, and how many organizations have a share. */
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
  const least = method?.minimumOrganizations ?? rule?.minimumOrganizations ??
    policy.minimumOrganizations;
  return decideAll(
    () => decideWhere(call, policy),
    () => decideArguments(call, method),
    () => decideOrganizations(call, least),
  );
}

/**
 * Refuses the argument `where`. A condition that an algorithm takes under another name, or without
 * one, is refused in the sandbox, by the algorithm's description.
 */
function decideWhere({ method, kwargs }: CallRequest, { allowWhere = true }: Policy): Decision {
  if (allowWhere || !Object.hasOwn(kwargs, "where") || kwargs.where === null) return ALLOWED;
  return refuse(`the argument "where" of the method "${method}"`, "policies.allow_where is false");
}

function decideOrganizations({ organizations, method }: CallRequest, least = 1): Decision {
  if (organizations >= least) return ALLOWED;
  return refuse(
    `a task for ${organizations} organization(s)`,
    `policies demand minimum_organizations of ${least} for the method "${method}"`,
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
    if (allowed !== "any" && !isListed(value, allowed)) {
      return refuse(`that value of ${what}`, "it is not listed in policies.algorithms");
    }
  }
  return ALLOWED;
}

/**
 * Whether a value, or each one in a list of values, is listed. An empty list is none of them; it
 * may mean "all" to an algorithm.
 */
function isListed(value: unknown, allowed: readonly unknown[]): boolean {
  if (!Array.isArray(value)) return allowed.includes(value);
  return value.length > 0 && value.every((one) => allowed.includes(one));
}

/** Those of an algorithm's methods that may be called here in some way. */
export function methodsAllowed(
  image: string,
  methods: readonly string[],
  policy: Policy,
): string[] {
  const listed = ruleFor(image, policy)?.methods;
  return methods.filter((method) => !listed || Object.hasOwn(listed, method));
}

/** Whether a decision on a call of this algorithm depends on its method or its arguments. */
export function readsCalls(image: string, policy: Policy): boolean {
  return policy.allowWhere === false || ruleFor(image, policy)?.methods !== undefined;
}

/** Whether a decision on a call depends on the number of organizations. */
export function countsOrganizations(policy: Policy): boolean {
  return policy.minimumOrganizations !== undefined ||
    (policy.algorithms ?? []).some((rule) =>
      rule.minimumOrganizations !== undefined ||
      Object.values(rule.methods ?? {}).some((method) => method.minimumOrganizations !== undefined)
    );
}
