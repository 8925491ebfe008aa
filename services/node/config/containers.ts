/**
 * The options of node.yaml that concern containers, under v6's names where v6 has one.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../../shared/service/errors.ts";
import type { ContainerOptions } from "../container/options.ts";
import type { RegistryLogin } from "../container/pull.ts";
import {
  type AbsolutePath,
  count,
  domain,
  flag,
  host,
  hostName,
  listOf,
  option,
  port,
  range,
  variableName,
  variables,
} from "./option_types.ts";

const tunnel = z.strictObject({
  hostname: hostName,
  ssh: z.strictObject({
    host,
    port: port.default(22),
    fingerprint: option.regex(
      /^(ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/]+=*( .*)?$/,
      "must be the server's public key, such as ssh-ed25519 AAAA…: " +
        "see its /etc/ssh/ssh_host_*_key.pub",
    ),
    identity: z.strictObject({ username: option.regex(/^[^-\s]\S*$/), key: option }),
  }),
  tunnel: z.strictObject({
    // Each run has addresses of its own, so that the one to bind to means nothing.
    bind: z.strictObject({ ip: option.optional(), port }),
    dest: z.strictObject({ ip: host, port }),
  }),
});

/** Options at the top of the file. */
export const containerShape = {
  container: z.strictObject({
    enabled: flag.default(true),
    socket: option.optional(),
    cpus: z.number({ error: "must be a number" }).min(0.1, "must be at least 0.1").optional(),
    pids: count.default(1024),
    disk_mib: count.default(10_240),
    log_mib: count.max(64, "must be at most 64").default(1),
    pull_timeout_seconds: count.default(3600),
  }).prefault({}),
  docker_registries: z.array(
    z.strictObject({
      registry: option,
      username: option,
      password: option.optional(),
      password_file: option.optional(),
    }),
  ).default([]),
  algorithm_env: variables(
    variableName.refine((name) => name !== "PKG_NAME", "is the image's own and cannot be set"),
  ).default({}),
  whitelist: z.strictObject({
    domains: listOf(domain).default([]),
    ips: listOf(range).default([]),
    ports: listOf(port).default([80, 443]),
  }).refine(({ domains, ips }) => domains.length + ips.length > 0, {
    error: "lists neither domains nor ips, so it opens nothing; ports alone open no address",
  }).optional(),
  docker_services: z.record(hostName, option).default({}),
  "ssh-tunnels": z.array(tunnel).default([]),
  algorithm_device_requests: z.strictObject({
    gpu: flag.default(false),
  }).prefault({}),
  run_context_file: flag.default(false),
};

/** What they are in a file that has been checked. */
type Options = z.infer<z.ZodObject<typeof containerShape>>;

/**
 * The log-ins at registries, with their passwords read; what is wrong with one goes to `problems`.
 */
export async function readLogins(
  { docker_registries }: Options,
  absolute: AbsolutePath,
  problems: string[],
): Promise<RegistryLogin[]> {
  const logins: RegistryLogin[] = [];
  for (const [index, one] of docker_registries.entries()) {
    const where = `docker_registries[${index}]`;
    if ((one.password === undefined) === (one.password_file === undefined)) {
      problems.push(`${where} needs either password or password_file`);
      continue;
    }
    try {
      const password = one.password ??
        (await Deno.readTextFile(absolute(one.password_file!))).replace(/\r?\n$/, "");
      logins.push({ registry: one.registry, username: one.username, password });
    } catch (error) {
      problems.push(`${where}.password_file cannot be read: ${messageOf(error)}`);
    }
  }
  return logins;
}

/** What containers are run with; `undefined` when the owner wants none. */
export function containerOptions(
  options: Options,
  logins: RegistryLogin[],
  { absolute, requirePull }: { absolute: AbsolutePath; requirePull: boolean },
): ContainerOptions | undefined {
  const { container, algorithm_env, algorithm_device_requests } = options;
  if (!container.enabled) return undefined;
  return {
    socket: container.socket?.replace(/^unix:\/\//, ""),
    limits: {
      cpus: container.cpus,
      pids: container.pids,
      diskMiB: container.disk_mib,
      logMiB: container.log_mib,
    },
    logins,
    requirePull,
    pullTimeoutSeconds: container.pull_timeout_seconds,
    algorithmEnv: algorithm_env,
    gpu: algorithm_device_requests.gpu,
    whitelist: options.whitelist,
    services: Object.entries(options.docker_services).map(([alias, container]) => ({
      alias,
      container,
    })),
    tunnels: options["ssh-tunnels"].map(({ hostname, ssh, tunnel }) => ({
      target: { host: hostname, port: tunnel.bind.port },
      server: { host: ssh.host, port: ssh.port },
      username: ssh.identity.username,
      key: absolute(ssh.identity.key),
      hostKey: ssh.fingerprint,
      destination: { host: tunnel.dest.ip, port: tunnel.dest.port },
    })),
    runContext: options.run_context_file,
  };
}
