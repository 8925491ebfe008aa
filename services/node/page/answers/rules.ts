/**
 * The owner's rules that are in force, by their names in node.yaml.
 * @module
 */
import type { z } from "zod";
import { disclosureInForce } from "../../check/disclosure.ts";
import type { NodeConfig } from "../../config/config.ts";
import type { AlgorithmRule, Policy } from "../../policy/policy.ts";
import { algorithmNames } from "../../run/algorithm_store.ts";
import type { rules, Settings } from "../contract.ts";

export type RulesOf = Pick<
  NodeConfig,
  | "disclosure"
  | "disclosureIsSaid"
  | "policy"
  | "serverForStores"
  | "algorithmFolders"
  | "algorithmLibrary"
  | "containers"
  | "encryption"
  | "limits"
  | "maxRuns"
  | "maxWaitingRuns"
  | "shareConfig"
  | "shareColumns"
  | "shareLogs"
>;

export async function tellRules(config: RulesOf): Promise<z.infer<typeof rules>> {
  const { disclosure, limits, policy } = config;
  const { algorithmFolders: folders, algorithmLibrary: library } = config;
  return {
    disclosure: disclosure &&
      disclosureInForce(disclosure).map(([name, value]) => ({ name, value })),
    disclosure_is_said: config.disclosureIsSaid,
    policies: [
      setting("algorithms by name", await algorithmNames({ folders, library })),
      setting("containers", config.containers ? "may run" : "may not run"),
      ...policySettings(policy, config.serverForStores),
    ],
    sharing: [
      setting("share_config", config.shareConfig),
      setting("share_columns", config.shareColumns),
      setting("share_algorithm_logs", config.shareLogs),
      setting("encryption", config.encryption ? "on" : "off"),
    ],
    limits: [
      setting("max_runs", config.maxRuns),
      setting("max_waiting_runs", config.maxWaitingRuns),
      setting("timeout_seconds", limits.timeoutSeconds),
      setting("memory_mib", limits.memoryMiB),
      setting("output_mib", limits.outputMiB),
    ],
  };
}

function policySettings(policy: Policy, serverForStores: string): Settings {
  const anything = "anything";
  return [
    setting("allowed_algorithms", policy.allowedAlgorithms ?? "not listed"),
    setting("allowed_algorithm_stores", policy.allowedStores ?? "not listed"),
    ...(policy.allowedStores ? [setting("server_url_for_stores", serverForStores)] : []),
    setting("allow_either_whitelist_or_store", policy.eitherAlgorithmOrStore ?? false),
    setting("allow_basics_algorithm", policy.allowBasics ?? true),
    setting("allowed_users", policy.allowedUsers ?? anything),
    setting("allowed_organizations", policy.allowedOrganizations ?? anything),
    setting("minimum_organizations", policy.minimumOrganizations ?? "any number"),
    setting("allow_where", policy.allowWhere ?? true),
    ...(policy.algorithms ?? []).map(algorithmSetting),
  ];
}

function algorithmSetting(
  { name, databases, minimumOrganizations, methods }: AlgorithmRule,
): Settings[number] {
  const rule = {
    ...(databases ? { databases } : {}),
    ...(minimumOrganizations === undefined ? {} : { minimum_organizations: minimumOrganizations }),
    ...(methods ? { methods } : {}),
  };
  const isBound = Object.keys(rule).length > 0;
  return setting(`algorithms: ${name}`, isBound ? JSON.stringify(rule) : "may run");
}

function setting(
  name: string,
  value: string | number | boolean | readonly (string | number)[],
): Settings[number] {
  const said = typeof value === "object" ? value.join(", ") || "none" : String(value);
  return { name, value: said };
}
