/**
 * What a child process of the launcher is told: its own variables, and of the launcher's those that
 * any program needs and those that are meant for this one. A secret of one part is no other's.
 * @module
 */

/** Whatever the child is. Tokens for package registries are for what fetches packages alone. */
const ANYBODY =
  /^(PATH|HOME|LANG|TZ|TMPDIR|XDG_CACHE_HOME|DENO_(?!AUTH_TOKENS$)\w+|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS|\w+_PROXY|NPM_CONFIG_REGISTRY)$/i;
const FETCHES = /^(NPM_\w+|DENO_AUTH_TOKENS)$/i;

export interface ChildEnvironmentOptions {
  /** The launcher's variables that are meant for this child, also in their form `NAME_FILE`. */
  inherits?: readonly string[];
  /** Whether the child fetches packages. */
  fetches?: boolean;
  launcher?: Record<string, string>;
}

/**
 * The environment of a child. A variable given in the form `NAME_FILE` replaces an inherited
 * `NAME`, and the other way round.
 */
export function childEnvironment(
  own: Record<string, string>,
  { inherits = [], fetches = false, launcher = Deno.env.toObject() }: ChildEnvironmentOptions = {},
): Record<string, string> {
  const base = (name: string) => name.replace(/_FILE$/, "");
  const taken = new Set(Object.keys(own).map(base));
  const kept = Object.entries(launcher).filter(([name]) =>
    (ANYBODY.test(name) || (fetches && FETCHES.test(name)) || inherits.includes(base(name))) &&
    !taken.has(base(name))
  );
  return { ...Object.fromEntries(kept), ...own };
}

/**
 * How the hub's services send traces. Never to nodes, whose owners say that in node.yaml; and not
 * `OTEL_DENO`, by which Deno itself tells addresses with names in them, and all that is logged.
 */
export const TRACES = [
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
  "OTEL_TRACES_SAMPLER",
  "OTEL_TRACES_SAMPLER_ARG",
] as const;

/** The variables that an operator may set for each part, besides those that the launcher sets. */
export const INHERITS = {
  identity: [
    "SEXTANT_ADMIN_USERNAME",
    "SEXTANT_ADMIN_PASSWORD",
    "SEXTANT_ACCESS_TOKEN_SECONDS",
    "SEXTANT_REFRESH_TOKEN_SECONDS",
    "SEXTANT_SESSION_DAYS",
    "SEXTANT_SIGNING_KEY_DAYS",
    "SEXTANT_TWO_FACTOR",
    "SEXTANT_SERVER_NAME",
    "SEXTANT_NODE_CREDENTIAL_SECONDS",
    "SEXTANT_SMTP_HOST",
    "SEXTANT_SMTP_PORT",
    "SEXTANT_SMTP_USERNAME",
    "SEXTANT_SMTP_PASSWORD",
    "SEXTANT_SMTP_TLS",
    "SEXTANT_SMTP_PLAIN",
    "SEXTANT_SMTP_FROM",
  ],
  collaboration: ["SEXTANT_SERVER_URL"],
  task: [
    "SEXTANT_BLOB_STORE",
    "SEXTANT_MAX_UNUSED_BLOBS_GIB",
    "SEXTANT_MAX_SUBTASKS",
    "SEXTANT_SUBTASKS_PER_MINUTE",
    "SEXTANT_COLUMN_IMAGE",
    "SEXTANT_RUNS_DATA_CLEANUP_DAYS",
    "SEXTANT_RUNS_DATA_CLEANUP_INCLUDE_INPUT",
  ],
  gateway: [
    "SEXTANT_CORS_ORIGINS",
    "SEXTANT_MAX_BODY_MIB",
    "SEXTANT_MAX_BLOB_MIB",
    "SEXTANT_ATTEMPTS_PER_MINUTE",
    "SEXTANT_TRUST_PROXY",
  ],
  node: [
    "SEXTANT_NODE_API_KEY",
    "SEXTANT_NODE_PRIVATE_KEY",
    // Where a container engine listens.
    "DOCKER_HOST",
    "XDG_RUNTIME_DIR",
  ],
} as const satisfies Record<string, readonly string[]>;
