/**
 * Gives a container without any network what it may reach: the agent's proxy, and what the node's
 * owner allows.
 *
 * The container's network namespace has nothing but its loopback; a relay enters it (`nsenter`),
 * listens there and passes connections to unix sockets of the agent. So there is no bridge, no
 * route, no name server and no firewall to get wrong, and it works the same with Docker and Podman,
 * with root and rootless, wherever the agent and the containers share a machine.
 * @module
 */
import { plainEnvironment } from "../../../../shared/service/plain_environment.ts";
import { isIPv6 } from "node:net";
import { fileURLToPath } from "node:url";
import type { RelayRoute } from "./relay.ts";

const READY_MS = 15_000;

export interface Relay {
  stop(): void;
}

export interface StartRelayOptions {
  /** A process in the network. */
  pid: number;
  routes: readonly RelayRoute[];
  /** Addresses of `routes` that the network's loopback does not have yet. */
  addresses: readonly string[];
}

/** Starts a relay in the network of a process. Rejects with an Error that says why it cannot be. */
export async function startRelay({ pid, routes, addresses }: StartRelayOptions): Promise<Relay> {
  // Without root, the namespace of users must be entered too; the engine is this user's own then.
  const namespaces = Deno.uid() === 0 ? ["--net"] : ["--user", "--preserve-credentials", "--net"];
  const inside = [`--target=${pid}`, ...namespaces, "--"];
  for (const address of addresses) await addAddress(inside, address);
  const sockets = routes.map(({ socket }) => socket).join(",");
  const listened = routes.map(({ address, port }) =>
    `${isIPv6(address) ? `[${address}]` : address}:${port}`
  );
  const child = new Deno.Command("nsenter", {
    args: [
      ...inside,
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      "--no-remote",
      "--no-npm",
      `--allow-net=${[...listened, ...routes.map(({ socket }) => `unix:${socket}`)].join(",")}`,
      `--allow-read=${sockets}`,
      `--allow-write=${sockets}`,
      fileURLToPath(new URL("relay.ts", import.meta.url)),
      JSON.stringify(routes),
    ],
    clearEnv: true,
    env: {
      DENO_NO_UPDATE_CHECK: "1",
      DENO_DIR: Deno.env.get("DENO_DIR") ?? "/nonexistent",
      NO_COLOR: "1",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_MS);
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  clearTimeout(timer);
  void reader.cancel();
  if (done) {
    await child.stdin.close();
    const { code } = await child.status;
    throw new Error(`the relay ended with exit code ${code}: ${(await errors).trim().slice(-500)}`);
  }
  errors.catch(() => {});
  let stopped = false;
  child.status.then(() => stopped = true);
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      child.kill("SIGKILL");
      child.stdin.close().catch(() => {});
    },
  };
}

async function addAddress(inside: string[], address: string): Promise<void> {
  const [family, length] = isIPv6(address) ? ["-6", 128] : ["-4", 32];
  const change = ["ip", family, "address", "replace", `${address}/${length}`, "dev", "lo"];
  const { success, stderr } = await new Deno.Command("nsenter", {
    args: [...inside, ...change],
    clearEnv: true,
    env: plainEnvironment(),
  }).output();
  if (success) return;
  throw new Error(
    `the address ${address} cannot be given to its network (is iproute2 installed?): ${
      new TextDecoder().decode(stderr).trim()
    }`,
  );
}
