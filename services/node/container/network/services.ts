/**
 * Containers that run on this machine beside the agent, and that the owner lets algorithms reach
 * under another name (v6's `docker_services`).
 * @module
 */
import { z } from "zod";
import { type Engine, EngineError } from "../engine.ts";
import type { Target } from "./routes.ts";

export interface Service {
  /** The name under which algorithms find it. */
  alias: string;
  /** The container's name or id. */
  container: string;
}

const exposedSchema = z.object({
  Config: z.object({ ExposedPorts: z.record(z.string(), z.unknown()).nullish() }),
});

const inspectSchema = z.object({
  Image: z.string(),
  State: z.object({ Running: z.boolean() }),
  Config: z.object({ ExposedPorts: z.record(z.string(), z.unknown()).nullish() }),
  HostConfig: z.object({ NetworkMode: z.string().default("") }),
  NetworkSettings: z.object({
    Networks: z.record(z.string(), z.object({ IPAddress: z.string().default("") })).nullish(),
    Ports: z.record(
      z.string(),
      z.array(z.object({ HostIp: z.string().default(""), HostPort: z.string() })).nullable(),
    ).nullish(),
  }),
});
export type Inspected = z.infer<typeof inspectSchema>;

/** What a service's container is at this moment; `undefined` when there is none of that name. */
export async function inspectService(
  engine: Engine,
  { container }: Service,
): Promise<Inspected | undefined> {
  try {
    const path = `/containers/${encodeURIComponent(container)}/json`;
    const inspected = await engine.json("GET", path, inspectSchema);
    if (inspected.HostConfig.NetworkMode !== "host") return inspected;
    // Podman names no ports of one that is in the machine's own network; its image may.
    const { Config } = await engine.json("GET", `/images/${inspected.Image}/json`, exposedSchema);
    const ports = { ...Config.ExposedPorts, ...inspected.Config.ExposedPorts };
    return { ...inspected, Config: { ExposedPorts: ports } };
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  }
}

/** The TCP ports that a container says it offers. */
export function portsOf({ Config, NetworkSettings }: Inspected): number[] {
  const named = [
    ...Object.keys(Config.ExposedPorts ?? {}),
    ...Object.keys(NetworkSettings.Ports ?? {}),
  ];
  const ports = named.map((name) => /^(\d{1,5})\/tcp$/.exec(name)?.[1])
    .filter((port) => port !== undefined).map(Number);
  return [...new Set(ports)];
}

/** Where this machine reaches a port of a container; `undefined` when it does not. */
export function addressOf(
  { State, HostConfig, NetworkSettings }: Inspected,
  port: number,
): Target | undefined {
  if (!State.Running) return undefined;
  if (HostConfig.NetworkMode === "host") return { host: "127.0.0.1", port };
  const published = NetworkSettings.Ports?.[`${port}/tcp`]?.[0];
  if (published) {
    const anywhere = ["", "0.0.0.0", "::"].includes(published.HostIp);
    return {
      host: anywhere ? "127.0.0.1" : published.HostIp,
      port: Number(published.HostPort),
    };
  }
  const networks = Object.values(NetworkSettings.Networks ?? {});
  const address = networks.find(({ IPAddress }) => IPAddress !== "")?.IPAddress;
  return address === undefined ? undefined : { host: address, port };
}
