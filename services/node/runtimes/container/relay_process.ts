/**
 * Gives a container without any network one thing to reach: the agent's proxy, at `127.0.0.1:80`.
 *
 * The container's network namespace has nothing but its loopback; a relay enters it (`nsenter`) and passes
 * connections to a unix socket of the agent. So there is no bridge, no route, no name server and no firewall to get
 * wrong, and it works the same with Docker and Podman, with root and rootless, wherever the agent and the
 * containers share a machine.
 * @module
 */
import { fileURLToPath } from "node:url";

export const RELAY_PORT = 80;
const READY_MS = 15_000;

export interface Relay {
  stop(): void;
}

/** Starts a relay in the network of the process `pid`. Rejects with an Error that says why it cannot be. */
export async function startRelay(pid: number, socket: string): Promise<Relay> {
  // Without root, the namespace of users must be entered too; the engine is this user's own then.
  const namespaces = Deno.uid() === 0 ? ["--net"] : ["--user", "--preserve-credentials", "--net"];
  const child = new Deno.Command("nsenter", {
    args: [
      `--target=${pid}`,
      ...namespaces,
      "--",
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      "--no-remote",
      "--no-npm",
      `--allow-net=127.0.0.1:${RELAY_PORT},unix:${socket}`,
      `--allow-read=${socket}`,
      `--allow-write=${socket}`,
      fileURLToPath(new URL("relay.ts", import.meta.url)),
      socket,
      String(RELAY_PORT),
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
