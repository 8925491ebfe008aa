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
          // The history of what Patroni says every few seconds.
          ["--auto-compaction-retention", "1h"],
          ["--logger", "zap"],
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
  const ask = async (what: string, body: Record<string, string>) => {
    const answer = await fetch(`${url}/v3/auth/${what}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return { ok: answer.ok, text: await answer.text() };
  };
  const name = AGREEMENT_USER;
  // Once that is done, none of these is taken any more.
  if ((await ask("authenticate", { name, password })).ok) return;
  await ask("user/add", { name, password });
  await ask("role/add", { name });
  await ask("user/grant", { user: name, role: name });
  await ask("enable", {});
  const { ok, text } = await ask("authenticate", { name, password });
  if (!ok) throw new Error(`Cannot start etcd: it does not take its password (${text})`);
}
