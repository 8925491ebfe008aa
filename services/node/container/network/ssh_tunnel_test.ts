/**
 * Tunnels through a real SSH server, where this machine has one (apt-get install openssh-server).
 */
import assert from "node:assert/strict";
import { freePort } from "../../../stack/ports.ts";
import { type ManagedProcess, startProcess } from "../../../stack/process.ts";
import { type Logger, silentLogger } from "../../../../shared/service/log.ts";
import { temporaryFolder, waitFor } from "../../../../tests/harness.ts";
import { withContainers } from "../../../../tests/support/contained.ts";
import { containerTest, useTestEngine } from "../../../../tests/support/container_engine.ts";
import { startTunnel, type TunnelOptions } from "./ssh_tunnel.ts";

const testEngine = useTestEngine();
const sshd = await findServer();

/** The SSH server's program, if it can be used here. */
async function findServer(): Promise<string | undefined> {
  const script = "command -v ssh >/dev/null && command -v sshd && getent passwd sshd >/dev/null";
  const { success, stdout } = await new Deno.Command("sh", { args: ["-c", script] }).output();
  if (success && Deno.uid() === 0) return new TextDecoder().decode(stdout).trim();
  console.log("Tests of SSH tunnels are skipped: they need root, ssh, sshd and its user");
}

interface Server {
  options: TunnelOptions;
  folder: string;
  start(): void;
  end(): Promise<void>;
  stop(): Promise<void>;
}

/** An SSH server that lets root in with a new key, and something behind it that says "behind". */
async function startServer(): Promise<Server> {
  const { path: folder, remove } = await temporaryFolder();
  for (const name of ["host", "user"]) {
    const args = ["-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}`];
    await new Deno.Command("ssh-keygen", { args }).output();
  }
  const port = freePort();
  await Deno.writeTextFile(
    `${folder}/config`,
    `ListenAddress 127.0.0.1\nPort ${port}\nHostKey ${folder}/host\nPidFile none\nUsePAM no\n` +
      `AuthorizedKeysFile ${folder}/user.pub\nStrictModes no\nPermitRootLogin yes\n`,
  );
  await Deno.mkdir("/run/sshd", { recursive: true });
  const behind = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  (async () => {
    for await (const connection of behind) {
      await connection.write(new TextEncoder().encode("behind\n")).catch(() => {});
      connection.close();
    }
  })();
  let server: ManagedProcess;
  const start = () =>
    void (server = startProcess({
      command: sshd!,
      args: ["-D", "-e", "-f", `${folder}/config`],
      env: Deno.env.toObject(),
      onLine() {},
    }));
  const end = async () => {
    server.signal("SIGKILL");
    await server.exited;
  };
  start();
  return {
    folder,
    start,
    end,
    options: {
      target: { host: "warehouse", port: 5432 },
      server: { host: "127.0.0.1", port },
      username: "root",
      key: `${folder}/user`,
      hostKey: (await Deno.readTextFile(`${folder}/host.pub`)).trim(),
      destination: { host: "127.0.0.1", port: (behind.addr as Deno.NetAddr).port },
    },
    async stop() {
      behind.close();
      await end();
      await remove();
    },
  };
}

async function hear(connect: () => Promise<Deno.Conn>): Promise<string> {
  using connection = await connect();
  return (await new Response(connection.readable).text()).trim();
}

Deno.test({
  name:
    "startTunnel() reaches what is behind an SSH server, again after it was away, and ends with close()",
  ignore: !sshd,
  async fn() {
    const server = await startServer();
    const warnings: string[] = [];
    const log: Logger = {
      ...silentLogger,
      warn: (_, fields) => void warnings.push(String(fields?.reason)),
    };
    const tunnel = await startTunnel({ ...server.options, folder: server.folder, name: "t", log });
    const works = () =>
      waitFor(async () => await hear(tunnel.connect) === "behind", {
        what: "the tunnel",
        timeout: 30_000,
      });
    await works();
    assert.equal((await Deno.stat(`${server.folder}/t`)).mode! & 0o077, 0);
    await killConnections(server.options.server.port);
    await server.end();
    await waitFor(() => warnings.length > 0, { what: "the end to be noticed" });
    server.start();
    await works();
    await tunnel.close();
    await assert.rejects(tunnel.connect());
    await server.stop();
  },
});

/** Ends what serves the connections of an SSH server, which outlives it. */
async function killConnections(port: number): Promise<void> {
  const args = [
    "-c",
    `ss -Htnp state established "sport = :${port}" | grep -o 'pid=[0-9]*' | cut -c5-`,
  ];
  const { stdout } = await new Deno.Command("sh", { args }).output();
  for (const pid of new TextDecoder().decode(stdout).split("\n").filter(Boolean)) {
    try {
      Deno.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

Deno.test({
  name: "startTunnel() refuses a server with another key",
  ignore: !sshd,
  async fn() {
    const server = await startServer();
    const warnings: string[] = [];
    const log: Logger = {
      ...silentLogger,
      warn: (_, fields) => void warnings.push(String(fields?.reason)),
    };
    const hostKey = (await Deno.readTextFile(`${server.folder}/user.pub`)).trim();
    const tunnel = await startTunnel({
      ...server.options,
      hostKey,
      folder: server.folder,
      name: "t",
      log,
    });
    const refused = () => warnings.some((reason) => /Host key verification failed/.test(reason));
    await waitFor(refused, { what: "the refusal" });
    await assert.rejects(tunnel.connect());
    await tunnel.close();
    await server.stop();
  },
});

Deno.test({
  ...containerTest("Containers reach what is behind a tunnel under its name and port"),
  ignore: !sshd || containerTest("").ignore,
  async fn() {
    const server = await startServer();
    await withContainers(testEngine(), async ({ run }) => {
      const { log } = await run(`
        until nc -w 5 warehouse 5432 < /dev/null | grep behind; do sleep 0.1; done
        nc -w 2 warehouse 5433 < /dev/null || echo no other port`);
      assert.match(log, /^behind$/m);
      assert.match(log, /no other port/);
    }, { tunnels: [server.options] });
    await server.stop();
  },
});
