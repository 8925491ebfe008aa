/**
 * etcd, by which the Patronis agree on which PostgreSQL is the primary.
 *
 * One is enough where all is on one machine: a second and a third would go with it. Without etcd
 * the primary stays the primary as long as Patroni reaches the standby (`failsafe_mode`); only a
 * failover has to wait for it.
 * @module
 */
import { plainEnvironment } from "../../../shared/service/plain_environment.ts";
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
  api: AgreementApi;
}

export const AGREEMENT_USER = "root";

/**
 * Which of etcd's APIs Patroni speaks: that of etcd 3, or that of etcd 2, which is gone in etcd
 * 3.6.
 */
export type AgreementApi = "v2" | "v3";

/**
 * The API with which a primary that stood still, and was replaced meanwhile, is not put back in its
 * place. Patroni before 3.1 writes its name over its successor's with etcd's new API, and what that
 * had taken would be lost; since then it does so only where nobody else's name stands
 * (`_update_leader` in patroni/dcs/etcd3.py).
 */
export async function agreementApi(patroni: string): Promise<AgreementApi> {
  const { stdout } = await new Deno.Command(patroni, {
    args: ["--version"],
    clearEnv: true,
    env: plainEnvironment(),
  }).output();
  const said = new TextDecoder().decode(stdout);
  const version = /(\d+)\.(\d+)/.exec(said);
  if (!version) {
    throw new Error(`Cannot tell the version of Patroni (${patroni}): it says "${said}"`);
  }
  const [, major, minor] = version.map(Number) as [number, number, number];
  return major > 3 || (major === 3 && minor >= 1) ? "v3" : "v2";
}

export function agreementPart(
  { etcd, folder, port, peerPort, password, api }: AgreementOptions,
): Part {
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
          api === "v2" ? ["--enable-v2"] : [],
        ].flat(),
        env: {},
        onLine,
      });
      onProcess(process);
      const ready = whenAnswers(url, process.exited).then(() => CLOSE[api](url, password));
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
 * Has it demand the password from whoever speaks to it. Others on this machine could change
 * PostgreSQL's settings by it, and so run what they like as PostgreSQL's account.
 */
const CLOSE = { v2: closeV2, v3: closeV3 };

async function closeV2(url: string, password: string): Promise<void> {
  const user = AGREEMENT_USER;
  const authorization = `Basic ${btoa(`${user}:${password}`)}`;
  const ask = async (path: string, body?: object) => {
    const answer = await fetch(`${url}/v2/auth/${path}`, {
      method: body === undefined ? "GET" : "PUT",
      headers: { authorization, "content-type": "application/json" },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    });
    return await answer.text();
  };
  const isOn = async () => /"enabled":\s*true/.test(await ask("enable"));
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
  requireClosed(await isOn() && stranger.status === 401, own.ok);
}

async function closeV3(url: string, password: string): Promise<void> {
  const name = AGREEMENT_USER;
  const ask = async (path: string, body: object, token?: string) => {
    const answer = await fetch(`${url}/v3/${path}`, {
      method: "POST",
      headers: token === undefined ? {} : { authorization: token },
      body: JSON.stringify(body),
    });
    return { ok: answer.ok, body: await answer.json() };
  };
  const logIn = async () => (await ask("auth/authenticate", { name, password })).body.token;
  const everything = { key: btoa("\0"), range_end: btoa("\0"), limit: "1" };
  let token = await logIn();
  if (token === undefined) {
    await ask("auth/user/add", { name, password });
    await ask("auth/role/add", { name });
    await ask("auth/user/grant", { user: name, role: name });
    await ask("auth/enable", {});
    token = await logIn();
  }
  const stranger = await ask("kv/range", everything);
  const own = await ask("kv/range", everything, token ?? "");
  requireClosed(!stranger.ok, own.ok);
}

function requireClosed(toOthers: boolean, openToUs: boolean): void {
  if (toOthers && openToUs) return;
  throw new Error(
    `Cannot start etcd: it ${toOthers ? "refuses" : "lets in"} who has no password, and ` +
      `${openToUs ? "lets in" : "refuses"} who has it`,
  );
}
