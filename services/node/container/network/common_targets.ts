/**
 * What every run of a node may reach, beside the databases that it asks for: the web as far as the
 * whitelist goes, services in other containers, and what is behind SSH tunnels.
 * @module
 */
import { messageOf } from "../../../../shared/service/errors.ts";
import type { Logger } from "../../../../shared/service/log.ts";
import type { Engine } from "../engine.ts";
import { type Connect, connectTcp } from "./connect.ts";
import { type Target, targetKey } from "./routes.ts";
import { addressOf, inspectService, portsOf, type Service } from "./services.ts";
import { startTunnel, type Tunnel, type TunnelOptions } from "./ssh_tunnel.ts";
import { type Whitelist, WHITELIST_PROXY } from "./whitelist.ts";

export interface CommonTargetsOptions {
  whitelist: Whitelist | undefined;
  services: readonly Service[];
  tunnels: readonly TunnelOptions[];
}

export interface CommonTargets {
  /** What there is to reach now. */
  list(): Promise<Target[]>;
  /** Connects with any target, these or others. */
  connect: Connect;
  close(): Promise<void>;
}

export interface OpenCommonTargetsOptions extends CommonTargetsOptions {
  engine: Engine;
  /** For sockets: a short path. */
  folder: string;
  connect?: Connect | undefined;
  log: Logger;
}

export async function openCommonTargets(
  { whitelist, services, tunnels, engine, folder, connect = connectTcp, log }:
    OpenCommonTargetsOptions,
): Promise<CommonTargets> {
  const started = new Map<string, Tunnel>();
  for (const [index, options] of tunnels.entries()) {
    const tunnel = await startTunnel({ ...options, folder, name: `ssh-${index}`, log });
    started.set(targetKey(options.target), tunnel);
  }

  /** The ports that a service offers; none, and a word in the log, when it cannot be reached. */
  async function targetsOf(service: Service): Promise<Target[]> {
    const { alias: host, container } = service;
    try {
      const inspected = await inspectService(engine, service);
      const ports = inspected ? portsOf(inspected) : [];
      if (ports.length > 0) return ports.map((port) => ({ host, port }));
      const reason = inspected ? "it exposes no TCP port" : "there is no such container";
      log.warn("A service cannot be reached", { alias: host, container, reason });
    } catch (error) {
      const reason = messageOf(error);
      log.warn("A service cannot be reached", { alias: host, container, reason });
    }
    return [];
  }

  return {
    async list() {
      const offered = await Promise.all(services.map(targetsOf));
      return [
        ...(whitelist ? [WHITELIST_PROXY] : []),
        ...tunnels.map(({ target }) => target),
        ...offered.flat(),
      ];
    },
    async connect(target) {
      const tunnel = started.get(targetKey(target));
      if (tunnel) return await tunnel.connect();
      const service = services.find(({ alias }) => alias === target.host);
      if (!service) return await connect(target);
      const inspected = await inspectService(engine, service);
      const address = inspected && addressOf(inspected, target.port);
      if (address) return await connect(address);
      throw new Error(
        `the container ${service.container} does not run, or has no address on this machine`,
      );
    },
    async close() {
      await Promise.all([...started.values()].map((tunnel) => tunnel.close()));
    },
  };
}
