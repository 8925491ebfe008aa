/**
 * What all runs of a node reach beside the databases that they ask for: the web as far as the whitelist goes, services
 * in other containers, and what is behind SSH tunnels.
 * @module
 */
import { messageOf } from "../../../shared/service/errors.ts";
import type { Logger } from "../../../shared/service/log.ts";
import type { Engine } from "./engine.ts";
import { type Connect, connectTcp } from "./network/ways_out.ts";
import type { Target } from "./network/addresses.ts";
import { addressOf, inspectService, portsOf, type Service } from "./network/services.ts";
import { startTunnel, type Tunnel, type TunnelOptions } from "./network/ssh_tunnel.ts";
import { type Whitelist, WHITELIST_PROXY } from "./network/whitelist.ts";

export interface SurroundingsOptions {
  whitelist: Whitelist | undefined;
  services: readonly Service[];
  tunnels: readonly TunnelOptions[];
}

export interface Surroundings {
  /** What there is to reach now. */
  targets(): Promise<Target[]>;
  /** Connects with any target, these or others. */
  connect: Connect;
  close(): Promise<void>;
}

export async function openSurroundings(
  { whitelist, services, tunnels, engine, folder, connect = connectTcp, log }:
    & SurroundingsOptions
    & {
      engine: Engine;
      /** For sockets: a short path. */
      folder: string;
      connect?: Connect | undefined;
      log: Logger;
    },
): Promise<Surroundings> {
  const dug = new Map<string, Tunnel>();
  for (const [index, options] of tunnels.entries()) {
    const tunnel = await startTunnel({ ...options, folder, name: `ssh-${index}`, log });
    dug.set(keyOf(options.target), tunnel);
  }

  async function offered(service: Service): Promise<Target[]> {
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
    async targets() {
      const offers = await Promise.all(services.map(offered));
      return [
        ...(whitelist ? [WHITELIST_PROXY] : []),
        ...tunnels.map(({ target }) => target),
        ...offers.flat(),
      ];
    },
    async connect(target) {
      const tunnel = dug.get(keyOf(target));
      if (tunnel) return await tunnel.connect();
      const service = services.find(({ alias }) => alias === target.host);
      if (!service) return await connect(target);
      const inspected = await inspectService(engine, service);
      const address = inspected && addressOf(inspected, target.port);
      if (!address) {
        throw new Error(
          `the container ${service.container} does not run, or has no address on this machine`,
        );
      }
      return await connect(address);
    },
    async close() {
      await Promise.all([...dug.values()].map((tunnel) => tunnel.close()));
    },
  };
}

function keyOf({ host, port }: Target): string {
  return `${host} ${port}`;
}
