/**
 * One SSH tunnel: the system's `ssh`, kept running, with the host's key pinned. Its near end is a
 * unix socket of the agent's, so that nobody else on this machine can use it.
 * @module
 */
import { plainEnvironment } from "../../../../shared/service/plain_environment.ts";
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import type { Logger } from "../../../../shared/service/log.ts";
import type { Target } from "./routes.ts";

export interface TunnelOptions {
  /** What algorithms connect to. */
  target: Target;
  /** The SSH server. */
  server: Target;
  username: string;
  /** Path of the private key. */
  key: string;
  /** The server's public key: `ssh-ed25519 AAAA…`. */
  hostKey: string;
  /** Where the server connects to. */
  destination: Target;
}

export interface Tunnel {
  connect(): Promise<Deno.Conn>;
  close(): Promise<void>;
}

/**
 * Pauses between two tries, doubled each time; after a tunnel that stood for a while the first one
 * again.
 */
const PAUSE_MS = { first: 500, most: 60_000 };
const STOOD_MS = 30_000;

export async function startTunnel(
  { target, server, username, key, hostKey, destination, folder, name, log }: TunnelOptions & {
    folder: string;
    name: string;
    log: Logger;
  },
): Promise<Tunnel> {
  const socket = join(folder, name);
  const knownHosts = join(folder, `${name}.hosts`);
  await Deno.writeTextFile(knownHosts, `[${server.host}]:${server.port} ${hostKey}\n`);
  const closed = new AbortController();
  let child: Deno.ChildProcess | undefined;
  const args = sshArguments({ server, username, key, knownHosts, socket, destination });

  async function keepUp(): Promise<void> {
    for (let pause = PAUSE_MS.first; !closed.signal.aborted;) {
      const started = performance.now();
      const words = await runSsh();
      if (closed.signal.aborted) return;
      if (performance.now() - started > STOOD_MS) pause = PAUSE_MS.first;
      log.warn("An SSH tunnel has ended; it is made again", {
        host: target.host,
        reason: words || "it says nothing",
        wait_ms: pause,
      });
      await delay(pause, undefined, { signal: closed.signal }).catch(() => {});
      pause = Math.min(2 * pause, PAUSE_MS.most);
    }
  }

  /** Runs `ssh` to its end; resolves with its last words. */
  async function runSsh(): Promise<string> {
    try {
      // It must not outlive an agent that is killed.
      child = new Deno.Command("setpriv", {
        args: ["--pdeathsig", "KILL", "--", "ssh", ...args],
        // The agent's has the node's key.
        clearEnv: true,
        env: plainEnvironment(),
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const [text] = await Promise.all([new Response(child.stderr).text(), child.status]);
      return text.trim().slice(-500);
    } catch (error) {
      return String(error);
    }
  }

  const keeping = keepUp();
  return {
    connect: () => Deno.connect({ transport: "unix", path: socket }),
    async close() {
      closed.abort();
      try {
        child?.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
      await keeping;
    },
  };
}

interface SshArguments extends Pick<TunnelOptions, "server" | "username" | "key" | "destination"> {
  /** Path of the file with the server's key. */
  knownHosts: string;
  /** Path of the near end. */
  socket: string;
}

function sshArguments(
  { server, username, key, knownHosts, socket, destination }: SshArguments,
): string[] {
  return [
    "-N",
    "-T",
    "-F",
    "none",
    ...Object.entries({
      BatchMode: "yes",
      ExitOnForwardFailure: "yes",
      StrictHostKeyChecking: "yes",
      UserKnownHostsFile: knownHosts,
      GlobalKnownHostsFile: "/dev/null",
      HostKeyAlias: `[${server.host}]:${server.port}`,
      IdentitiesOnly: "yes",
      IdentityFile: key,
      ServerAliveInterval: 15,
      ServerAliveCountMax: 3,
      ConnectTimeout: 15,
      StreamLocalBindUnlink: "yes",
      StreamLocalBindMask: "0177",
      LogLevel: "ERROR",
    }).flatMap(([option, value]) => ["-o", `${option}=${value}`]),
    "-L",
    `${socket}:${bracketed(destination.host)}:${destination.port}`,
    "-p",
    String(server.port),
    "-l",
    username,
    "--",
    server.host,
  ];
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** Whether this machine has an SSH client. */
export async function hasSsh(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("ssh", {
      args: ["-V"],
      clearEnv: true,
      env: plainEnvironment(),
      stderr: "null",
    }).output();
    return success;
  } catch {
    return false;
  }
}
