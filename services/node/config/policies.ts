/**
 * The section `policies` of node.yaml: what may run here.
 * @module
 */
import { z } from "zod";
import type { Policy } from "../policy/policy.ts";
import { isPattern } from "../policy/references.ts";
import { count, flag, listOf, option } from "./option_types.ts";

/** Whether an entry is a reference, or a pattern that can be used. */
function isUsable(entry: string): boolean {
  if (!isPattern(entry)) return true;
  try {
    // By itself: "a)|(?:b" is a pattern only within the brackets that it gets later, and then not
    // of all of a text.
    new RegExp(entry, "u");
    return true;
  } catch {
    return false;
  }
}

export const reference = option.refine(isUsable, "must be a reference or a valid pattern");
const storeAddress = option.refine(
  (entry) => isPattern(entry) ? isUsable(entry) : URL.canParse(entry),
  'must be the address of a store, such as "https://store.example/api", or a valid pattern',
);

/** Digits are an id: no user can have such a name, and no organization either. */
function idOrName(whose: string) {
  return z.union([
    z.number().int(),
    option.transform((text) => /^\d+$/.test(text) ? Number(text) : text),
  ], { error: `must be ${whose} id or name` });
}

const argumentValues = z.union(
  [z.literal("any"), z.array(z.union([z.string(), z.number(), z.boolean(), z.null()]))],
  { error: 'must be "any" or a list of values' },
);

const methodOptions = z.strictObject({
  minimum_organizations: count.optional(),
  arguments: z.record(z.string(), argumentValues).optional(),
});
type MethodOptions = z.infer<typeof methodOptions>;

/** A list of methods, which may be called with anything, or methods with what they are held to. */
const methods = z.union([
  z.array(option).transform((names): Record<string, MethodOptions> =>
    Object.fromEntries(names.map((name) => [name, {}]))
  ),
  z.record(z.string(), methodOptions),
], { error: "must be a list of methods, or methods with minimum_organizations and arguments" });

const algorithm = z.strictObject({
  name: reference,
  databases: z.array(option).optional(),
  minimum_organizations: count.optional(),
  methods: methods.optional(),
});

export const policiesSection = z.strictObject({
  allowed_algorithms: listOf(reference).optional(),
  allowed_algorithm_stores: listOf(storeAddress).optional(),
  server_url_for_stores: z.url({
    protocol: /^https?$/,
    error: 'must be the address of the server\'s API, such as "https://hub.example/api"',
  }).transform((url) => url.replace(/\/+$/, "")).optional(),
  allow_either_whitelist_or_store: flag.default(false),
  allow_basics_algorithm: flag.default(true),
  allowed_users: listOf(idOrName("a user's")).optional(),
  allowed_organizations: listOf(idOrName("an organization's")).optional(),
  minimum_organizations: count.optional(),
  allow_where: flag.default(true),
  algorithms: z.array(algorithm).optional(),
  require_algorithm_pull: flag.default(true),
}).prefault({});

/** The owner's rules, from a section that has been checked. */
export function policyOf(policies: z.infer<typeof policiesSection>): Policy {
  return {
    allowedAlgorithms: policies.allowed_algorithms,
    allowedStores: policies.allowed_algorithm_stores,
    eitherAlgorithmOrStore: policies.allow_either_whitelist_or_store,
    allowBasics: policies.allow_basics_algorithm,
    allowedUsers: policies.allowed_users,
    allowedOrganizations: policies.allowed_organizations,
    minimumOrganizations: policies.minimum_organizations,
    allowWhere: policies.allow_where,
    algorithms: policies.algorithms?.map(({ name, databases, minimum_organizations, methods }) => ({
      name,
      databases,
      minimumOrganizations: minimum_organizations,
      methods: methods && Object.fromEntries(
        Object.entries(methods).map(([method, options]) => [method, {
          arguments: options.arguments,
          minimumOrganizations: options.minimum_organizations,
        }]),
      ),
    })),
  };
}
