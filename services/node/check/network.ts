/**
 * The part of `deno task node check` about what containers may reach: whether it answers, and what
 * is missing for it.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { NodeConfig } from "../config/config.ts";
import type { NodeDatabase } from "../data/databases.ts";
import type { Engine } from "../container/engine.ts";
import { connectTcp } from "../container/network/connect.ts";
import type { Target } from "../container/network/routes.ts";
import { inspectService, portsOf } from "../container/network/services.ts";
import { hasSsh } from "../container/network/ssh_tunnel.ts";
import type { Finding } from "./finding.ts";

const PATIENCE_MS = 5000;

/**
 * A database that is an address. Whether it answers is asked where this machine itself goes there.
 */
export async function checkAddress(
  { label, uri = "", reach }: NodeDatabase,
  { containers }: Pick<NodeConfig, "containers">,
): Promise<Finding> {
  const name = `database ${label}`;
  if (reach.length === 0) {
    const note = /^\w[\w+.-]*:/.test(uri)
      ? "its address names no host and port that are known; if containers are to connect, say where in reach"
      : "neither a file nor an address with a host";
    return { name, well: true, note };
  }
  const elsewhere = [
    ...(containers?.services ?? []).map(({ alias }) => alias),
    ...(containers?.tunnels ?? []).map(({ target }) => target.host),
  ];
  const direct = reach.filter(({ host }) => !elsewhere.includes(host));
  const problems = (await Promise.all(direct.map(tryToReach))).filter((one) => one !== undefined);
  const places = reach.map(({ host, port }) => `${host}:${port}`).join(", ");
  return problems.length === 0
    ? { name, well: true, note: `containers that ask for it reach ${places}` }
    : {
      name,
      well: false,
      note: `${problems.join("; ")}; is that right, and does it let this machine in?`,
    };
}

async function tryToReach(target: Target): Promise<string | undefined> {
  const { host, port } = target;
  try {
    (await connectTcp(target, { signal: AbortSignal.timeout(PATIENCE_MS) })).close();
  } catch (error) {
    return `${host}:${port} does not answer: ${messageOf(error)}`;
  }
}

/** SSH tunnels and services, if there are any. */
export async function* checkSurroundings(
  { containers }: NodeConfig,
  engine: Engine | undefined,
): AsyncGenerator<Finding> {
  if (containers?.tunnels.length) {
    const well = await hasSsh();
    const note = well
      ? "there is an ssh"
      : "there is no ssh on this machine; install openssh-client";
    yield { name: "ssh-tunnels", well, note };
  }
  for (const { target, key } of containers?.tunnels ?? []) {
    const name = `ssh-tunnel ${target.host}`;
    const mode = await Deno.stat(key).then(({ mode }) => mode ?? 0, messageOf);
    if (typeof mode === "string") {
      yield { name, well: false, note: `its key cannot be read: ${mode}` };
    } else if ((mode & 0o077) !== 0) {
      yield { name, well: false, note: `others can read ${key}, so ssh refuses it; chmod 600` };
    } else yield { name, well: true, note: `containers reach it at ${target.host}:${target.port}` };
  }
  for (const service of engine ? containers?.services ?? [] : []) {
    const { alias, container } = service;
    const name = `docker_services ${alias}`;
    const inspected = await inspectService(engine!, service).catch(messageOf);
    if (typeof inspected !== "object") {
      yield { name, well: false, note: inspected ?? `there is no container ${container}` };
      continue;
    }
    const ports = portsOf(inspected);
    yield ports.length > 0
      ? { name, well: true, note: `containers reach ${container} at port ${ports.join(", ")}` }
      : { name, well: false, note: `${container} exposes no TCP port; start it with --expose` };
  }
}
