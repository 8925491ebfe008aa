/**
 * etcd, by which the Patronis agree on which PostgreSQL is the primary.
 *
 * One is enough where all is on one machine: a second and a third would go with it. Without etcd
 * the primary stays the primary as long as Patroni reaches the standby (`failsafe_mode`); only a
 * failover has to wait for it.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { LOOPBACK } from "../servers.ts";
import { startProcess } from "../process.ts";
import type { Part } from "../supervisor.ts";

export interface AgreementOptions {
  /** The program. */
  etcd: string;
  /** The data folder of the hub. */
  folder: string;
  port: number;
  peerPort: number;
  password: string;
}

export const AGREEMENT_USER = "root";

export function agreementPart({ etcd, folder, port, peerPort, password }: AgreementOptions): Part {
  const url = `http://${LOOPBACK}:${port}`;
  const peerUrl = `http://${LOOPBACK}:${peerPort}`;
  return {
    name: "etcd",
    format: "zap",
    async start({ onLine, onProcess }) {
      const process = startProcess({
        command: etcd,
        args: [
          ["--name", "sextant"],
          ["--data-dir", join(folder, "etcd")],
          ["--listen-client-urls", url],
          ["--advertise-client-urls", url],
          ["--listen-peer-urls", peerUrl],
          ["--initial-advertise-peer-urls", peerUrl],
          ["--initial-cluster", `sextant=${peerUrl}`],
          ["--logger", "zap"],
          // Patroni 3.0 with the API of etcd 3 puts a primary that stood still back in its place without
          // looking, and what its successor had taken would be lost; with this one it looks.
          ["--enable-v2"],
        ].flat(),
        env: {},
        onLine,
      });
      onProcess(process);
      const ready = whenAnswers(url, process.exited).then(() => closeToOthers(url, password));
      const ended = process.exited.then(() => {
        throw new Error(`Cannot start etcd: it ended.\n${process.lastLines().join("\n")}`);
      });
      await Promise.race([ready, ended]);
    },
  };
}

async function whenAnswers(url: string, exited: Promise<unknown>): Promise<void> {
  let over = false;
  exited.then(() => over = true);
  while (!over) {
    try {
      const answer = await fetch(`${url}/health`);
      if ((await answer.json()).health === "true") return;
    } catch { /* not yet */ }
    await delay(50);
  }
}

/**
 * Demands the password from whoever speaks to it. Others on this machine could change PostgreSQL's
 * settings by it, and so run what they like as PostgreSQL's account.
 */
async function closeToOthers(url: string, password: string): Promise<void> {
  const user = AGREEMENT_USER;
  const authorization = `Basic ${btoa(`${user}:${password}`)}`;
  const ask = async (path: string, body?: object) => {
    const answer = await fetch(`${url}/v2/auth/${path}`, {
      method: body === undefined ? "GET" : "PUT",
      headers: { authorization, "content-type": "application/json" },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    });
    return { ok: answer.ok, text: await answer.text() };
  };
  const isOn = async () => /"enabled":\s*true/.test((await ask("enable")).text);
  if (!await isOn()) {
    await ask(`users/${user}`, { user, password });
    await ask("enable", {});
  }
  // Whoever does not log in has the rights of this role.
  const everything = { kv: { read: ["/*"], write: ["/*"] } };
  await ask("roles/guest", { role: "guest", revoke: everything });
  const [stranger, own] = await Promise.all([
    fetch(`${url}/v2/keys/`),
    fetch(`${url}/v2/keys/`, { headers: { authorization } }),
  ]);
  await Promise.all([stranger.body?.cancel(), own.body?.cancel()]);
  if (await isOn() && stranger.status === 401 && own.ok) return;
  throw new Error(
    `Cannot start etcd: it answers ${stranger.status} to strangers and ${own.status} to its password`,
  );
}
