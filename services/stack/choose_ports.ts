/**
 * Which ports a hub on this machine has.
 * @module
 */
import { readPorts, writePorts } from "./deployment.ts";
import { freePort, portIsFree } from "./ports.ts";

export interface ChoosePortsOptions<Name extends string> {
  /** The data folder. */
  folder: string;
  /** What needs a port beside the gateway. */
  names: readonly Name[];
  /** The gateway's port; an error when it is taken. */
  gatewayPort?: number | undefined;
  /** The gateway's port at the first start, when it is free. */
  preferredGatewayPort?: number | undefined;
  say: (message: string) => void;
}

/**
 * The ports of last time, so that addresses noted by people and nodes stay true. The gateway does
 * not move unless it is told to: nodes and users would look for it in vain. The others may while
 * theirs is taken: nodes are told where the broker is when they log in.
 */
export async function choosePorts<Name extends string>(
  { folder, names, gatewayPort, preferredGatewayPort, say }: ChoosePortsOptions<Name>,
): Promise<Record<Name | "gateway", number>> {
  const last = await readPorts(folder);
  const kept = gatewayPort ?? last.gateway;
  if (kept !== undefined) requirePort(kept, gatewayPort === undefined);
  const asked = kept ?? preferredGatewayPort;
  const gateway = freePort({ preferred: asked });
  if (asked && gateway !== asked) say(`Port ${asked} is taken; the gateway gets ${gateway}`);
  if (last.gateway !== undefined && gateway !== last.gateway) {
    say(
      `The gateway moves from port ${last.gateway} to ${gateway}: tell the nodes (port in node.yaml)`,
    );
  }
  const ports: Record<string, number> = {};
  const wanted: Record<string, number> = {};
  for (const name of names) {
    const own = last[wantedBy(name)] ?? last[name];
    const except = [gateway, ...Object.values(ports)];
    const port = ports[name] = freePort({ preferred: own, except });
    if (own === undefined || own === port) continue;
    wanted[wantedBy(name)] = own;
    const follow = name.startsWith("natsWebsocket")
      ? " Agents follow; firewalls between them and it have to let them."
      : "";
    say(
      `Port ${own}, where ${name} was, is taken by another program: it gets ${port} until a start ` +
        `at which ${own} is free.${follow}`,
    );
  }
  ports.gateway = gateway;
  await writePorts(folder, { ...ports, ...wanted });
  return ports as Record<Name | "gateway", number>;
}

/** Under which the port is noted that a part has not got, and goes back to. */
const wantedBy = (name: string) => `${name}, as before`;

/** Throws, with what to do, unless the gateway can have the port. */
function requirePort(port: number, ofLastTime: boolean): void {
  const known = ofLastTime ? ", where this hub's nodes and users look for it," : "";
  try {
    if (portIsFree(port)) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    throw new Error(
      `Cannot start: this account may not open port ${port}; those below 1024 are root's. Choose ` +
        "another with --port, and put a web server in front of it if it is to be reached there.",
      { cause: error },
    );
  }
  throw new Error(
    `Cannot start: port ${port}${known} is taken by another program. Stop that, or choose another ` +
      "with --port.",
  );
}
