/**
 * The options of node.yaml, under v6's names where v6 has one (`server_url`, `port`, `api_path`,
 * `databases`, `policies`, `encryption`, `task_dir`). The larger sections have a file each.
 * @module
 */
import { z } from "zod";
import type { LogLevel } from "../../../shared/service/log.ts";
import { READ_TIMEOUT_SECONDS } from "../data/tables.ts";
import { FORMAT_SETTINGS } from "../encryption/formats.ts";
import { containerShape } from "./containers.ts";
import { databasesSection } from "./databases.ts";
import { disclosureSection } from "./disclosure.ts";
import { count, flag, option, port } from "./option_types.ts";
import { policiesSection, reference } from "./policies.ts";
import { wayOutShape } from "./way_out.ts";

/** v6's words and ours. */
const LOG_LEVELS: Readonly<Record<string, LogLevel>> = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warn",
  WARN: "warn",
  ERROR: "error",
  CRITICAL: "error",
};

export const configSchema = z.strictObject({
  api_key: option.optional(),
  api_key_file: option.optional(),
  server_url: z.url({
    protocol: /^https?$/,
    error: 'must be an address such as "https://hub.example"',
  }),
  port: port.optional(),
  api_path: z.string().regex(/^(\/[\w.-]+)*\/?$/, 'must be a path such as "/api"').default("/api"),
  ...wayOutShape,
  task_dir: option.optional(),
  databases: databasesSection,
  // No timer can wait much longer.
  read_timeout_seconds: count.max(2_000_000, "must be at most 2000000").default(
    READ_TIMEOUT_SECONDS,
  ),
  algorithm_folders: z.array(option).optional(),
  algorithm_library: flag.optional(),
  algorithm_settings: z.array(z.strictObject({
    name: reference,
    settings: z.record(z.string(), z.json("must be what JSON can hold")),
  })).default([]),
  policies: policiesSection,
  encryption: z.strictObject({
    enabled: flag.default(false),
    private_key: option.optional(),
    between_nodes: z.enum(FORMAT_SETTINGS, `must be one of ${FORMAT_SETTINGS.join(", ")}`)
      .default("announced"),
    pinned_keys: z.record(
      z.string().regex(/^[1-9]\d{0,9}$/, "must be the id of an organization"),
      option.toLowerCase().regex(
        /^sha256:[0-9a-f]{64}$/,
        'must be a fingerprint: "sha256:" and 64 hexadecimal digits',
      ),
    ).default({}),
  }).prefault({}),
  limits: z.strictObject({
    timeout_seconds: count.default(24 * 3600),
    // V8 does not start with less than 1 GiB of address space for data.
    memory_mib: count.min(1024, "must be at least 1024: an algorithm does not start with less")
      .default(2048),
    output_mib: count.max(3072, "must be at most 3072").default(64),
  }).prefault({}),
  prometheus: z.strictObject({
    enabled: flag.default(false),
    report_interval_seconds: count.max(86_400, "must be at most 86400").default(45),
  }).prefault({}),
  ...containerShape,
  disclosure: disclosureSection.optional(),
  page: z.strictObject({
    enabled: flag.default(true),
    /** Without one the system chooses a free port at each start. */
    port: port.optional(),
  }).prefault({}),
  logging: z.strictObject({
    level: option.toUpperCase().refine((name) => Object.hasOwn(LOG_LEVELS, name), {
      error: `must be one of ${Object.keys(LOG_LEVELS).join(", ")}`,
    }).transform((name) => LOG_LEVELS[name]!).optional(),
  }).prefault({}),
  traces: z.url({ protocol: /^https?$/, error: "must be http://… or https://…" }).optional(),
  share_config: flag.default(true),
  share_columns: flag.default(false),
  share_algorithm_logs: flag.optional(),
  max_runs: count.default(() => Math.max(2, navigator.hardwareConcurrency)),
  max_waiting_runs: count.optional(),
});

/** What node.yaml says, with its defaults. */
export type ConfigOptions = z.infer<typeof configSchema>;
