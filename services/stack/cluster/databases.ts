/**
 * A PostgreSQL primary and its synchronous standby, each looked after by a Patroni.
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { join } from "node:path";
import { type Account, closedFolder, unprivilegedAccount } from "../account.ts";
import { writeSecret } from "../deployment.ts";
import { makeOwned, SERVER_ENVIRONMENT } from "../postgres.ts";
import { startProcess } from "../process.ts";
import { LOOPBACK } from "../servers.ts";
import type { Part } from "../supervisor.ts";
import { AGREEMENT_USER, type AgreementApi } from "./agreement.ts";
import { clusterDatabaseUrl, DATABASES, singleDatabase } from "./kind.ts";
import { type Member, patroniConfig } from "./patroni_config.ts";
import { findAllOfPostgres } from "./programs.ts";

/** A failover and a new copy of a small database take less. */
const UNTIL_MS = 120_000;

export interface DatabasesOptions {
  /** The data folder of the hub. */
  folder: string;
  /** Patroni's program. */
  patroni: string;
  members: Member[];
  etcd: { port: number; password: string; api: AgreementApi };
  adminPassword: string;
  restPassword: string;
}

export interface Databases {
  parts: Part[];
  /**
   * Whether the first has the data of a hub that was no cluster: then it has to be the primary
   * before the second starts, which would begin with nothing.
   */
  wasSingle: boolean;
  /** `postgres://` address of a role in a database, on whichever server is the primary. */
  url(role: string, password: string, database: string): string;
  /** The name of the part that is the primary now, waiting for one. */
  primary(): Promise<string>;
  /** Resolves when the standby has all that is acknowledged. */
  standbyIsSynchronous(): Promise<void>;
}

/** Writes the configuration of both. */
export async function setUpDatabases(options: DatabasesOptions): Promise<Databases> {
  const { folder, members } = options;
  const databases = join(folder, DATABASES);
  const account = unprivilegedAccount(databases);
  const closed = account && closedFolder(account, databases);
  if (closed !== undefined) {
    throw new Error(
      `Cannot start PostgreSQL in ${databases}: it does not run as root, and the account that root ` +
        `lends it may not enter ${closed}. Name a data folder elsewhere with --data.`,
    );
  }
  const bin = findAllOfPostgres();
  makeOwned(databases, account);
  const first = members[0]!.name;
  const single = singleDatabase(folder, first);
  if (single !== undefined) {
    makeOwned(join(databases, first), account);
    await Deno.rename(single, join(databases, first, "data"));
  }
  const parts: Part[] = [];
  for (const member of members) parts.push(await memberPart(member, { ...options, account, bin }));

  async function memberThatIs(what: string): Promise<string | undefined> {
    const names = await Promise.all(
      members.map(async ({ name, restPort }) => await isA(what, restPort) ? name : undefined),
    );
    return names.find((name) => name !== undefined);
  }
  async function untilOneIs(what: string): Promise<string> {
    for (const began = performance.now();;) {
      const name = await memberThatIs(what);
      if (name !== undefined) return name;
      if (performance.now() - began > UNTIL_MS) {
        throw new Error(`Cannot find a database server that is ${what}: see the log of Patroni`);
      }
      await delay(200);
    }
  }
  return {
    parts,
    wasSingle: single !== undefined,
    url: (role, password, database) =>
      clusterDatabaseUrl(members.map(({ host, port }) => `${host}:${port}`), {
        role,
        password,
        database,
      }),
    primary: () => untilOneIs("primary"),
    standbyIsSynchronous: async () => void await untilOneIs("synchronous"),
  };
}

/** Asks Patroni what its server is; one that does not answer is nothing. */
async function isA(what: string, restPort: number): Promise<boolean> {
  const late = AbortSignal.timeout(2000);
  try {
    const answer = await fetch(`http://${LOOPBACK}:${restPort}/${what}`, { signal: late });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

async function memberPart(
  member: Member,
  { folder, patroni, etcd, adminPassword, restPassword, account, bin }: DatabasesOptions & {
    account: Account | undefined;
    bin: string;
  },
): Promise<Part> {
  const own = join(folder, DATABASES, member.name);
  makeOwned(own, account);
  const config = join(own, "patroni.yml");
  await writeSecret(
    config,
    await patroniConfig({
      ...member,
      folder: own,
      bin,
      etcd: {
        api: etcd.api,
        host: `${LOOPBACK}:${etcd.port}`,
        username: AGREEMENT_USER,
        password: etcd.password,
      },
      adminPassword,
      restPassword,
      clients: [`${LOOPBACK}/32`],
    }),
  );
  if (account) await Deno.chown(config, account.uid, account.gid);
  return {
    name: member.name,
    format: "patroni",
    async start({ onLine, onProcess }) {
      const process = startProcess({
        command: patroni,
        args: [config],
        env: { ...SERVER_ENVIRONMENT, PATH: "/usr/bin:/bin", PYTHONUNBUFFERED: "1" },
        cwd: own,
        account,
        // Told to stop, Patroni stops its PostgreSQL.
        signals: { stop: "SIGTERM", orphaned: "SIGTERM" },
        onLine,
      });
      onProcess(process);
      let over = false;
      process.exited.then(() => over = true);
      while (!await isA("liveness", member.restPort)) {
        if (over) {
          throw new Error(`Cannot start Patroni: it ended.\n${process.lastLines().join("\n")}`);
        }
        await delay(100);
      }
    },
  };
}
