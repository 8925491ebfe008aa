/**
 * Where the shell finds the databases and the broker: the environment, else the folder of `deno
 * task up`.
 * @module
 */
import { databaseUrlFile, FILES } from "../stack/names.ts";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError, readConfig } from "../../shared/service/config.ts";
import { type Db, openDatabase } from "../../shared/storage/db.ts";
import { messageOf } from "../../shared/service/errors.ts";
import { type Logger, silentLogger } from "../../shared/service/log.ts";
import { HUB_SERVICES, type HubService } from "../../shared/broker/subjects.ts";
import { readPorts } from "../stack/deployment.ts";
import { ShellError } from "./errors.ts";
import { explain } from "./show/explain.ts";

/** The variable that names the database of a service. */
export function databaseVariable(service: HubService): string {
  return `SEXTANT_${service.toUpperCase()}_DATABASE_URL`;
}

export interface Addresses {
  databaseUrls: Record<HubService, string>;
  broker: { url: string; enrolmentFile: string } | undefined;
  /** `http://host:port` of the gateway, where it is known. */
  gatewayUrl: string | undefined;
  /** Where `deno task up` keeps its data, when that is what is meant. */
  dataFolder?: string | undefined;
}

const text = z.string().min(1).optional();

/** Reads the addresses; throws a line that says what is missing. */
export async function readAddresses(dataFolder: string): Promise<Addresses> {
  let config;
  try {
    config = readConfig({
      [databaseVariable("identity")]: text,
      [databaseVariable("collaboration")]: text,
      [databaseVariable("task")]: text,
      SEXTANT_NATS_URL: text,
      SEXTANT_ENROLMENT: text,
      SEXTANT_GATEWAY_URL: text,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ShellError(error.problems.join("; "));
  }
  const named = HUB_SERVICES.filter((service) => config[databaseVariable(service)]);
  if (named.length > 0 && named.length < HUB_SERVICES.length) {
    const missing = HUB_SERVICES.filter((service) => !named.includes(service));
    throw new ShellError(`${missing.map(databaseVariable).join(" and ")} must be set too`);
  }
  const fromFolder = named.length === 0 ? await readFolder(dataFolder) : undefined;
  const { SEXTANT_NATS_URL: url, SEXTANT_ENROLMENT: enrolmentFile } = config;
  return {
    databaseUrls: fromFolder?.databaseUrls ?? Object.fromEntries(
      HUB_SERVICES.map((service) => [service, config[databaseVariable(service)]!]),
    ) as Record<HubService, string>,
    broker: url && enrolmentFile ? { url, enrolmentFile } : fromFolder?.broker,
    gatewayUrl: config.SEXTANT_GATEWAY_URL ?? fromFolder?.gatewayUrl,
    dataFolder: fromFolder?.dataFolder,
  };
}

/** What `deno task up` keeps in its folder. */
async function readFolder(folder: string): Promise<Addresses> {
  const own = (file: string) => join(folder, "services", "shell", file);
  const databaseUrls: Partial<Record<HubService, string>> = {};
  for (const service of HUB_SERVICES) {
    try {
      const url = await Deno.readTextFile(own(databaseUrlFile(service)));
      databaseUrls[service] = url.trim();
    } catch (error) {
      throw new ShellError(
        `No databases are named in the environment (${
          databaseVariable(service)
        }, …), and there is no ` +
          `deployment in ${folder} (${
            messageOf(error)
          }); start one with deno task up, or name its folder ` +
          `with --data`,
      );
    }
  }
  const { natsWebsocket, gateway } = await readPorts(folder);
  return {
    databaseUrls: databaseUrls as Record<HubService, string>,
    broker: natsWebsocket === undefined ? undefined : {
      url: `ws://127.0.0.1:${natsWebsocket}`,
      enrolmentFile: own(FILES.enrolment),
    },
    gatewayUrl: gateway === undefined ? undefined : `http://127.0.0.1:${gateway}`,
    dataFolder: folder,
  };
}

export interface ConnectedDatabase {
  db: Db;
  /** For the banner, without a password. */
  description: string;
}

/**
 * Opens the database of each service and makes sure that it is there, with the service's tables.
 */
export async function openDatabases(
  urls: Record<HubService, string>,
  log: Logger = silentLogger,
): Promise<Record<HubService, ConnectedDatabase>> {
  const opened = {} as Record<HubService, ConnectedDatabase>;
  try {
    await Promise.all(HUB_SERVICES.map(async (service) => {
      const db = openDatabase(urls[service], { schema: service, log, max: 4 });
      opened[service] = { db, description: "" };
      opened[service].description = await describeDatabase(service, db);
    }));
    return opened;
  } catch (error) {
    await Promise.all(Object.values(opened).map(({ db }) => db.end({ timeout: 1 })));
    throw error;
  }
}

async function describeDatabase(service: HubService, db: Db): Promise<string> {
  try {
    const [row] = await db<{ text: string; ready: boolean }[]>`
      select current_database() || ' as ' || current_user || ', PostgreSQL ' ||
          current_setting('server_version') || coalesce(', ' || host(inet_server_addr()), '') as text,
        to_regclass('migration') is not null as ready`;
    if (row!.ready) return row!.text;
  } catch (error) {
    throw new ShellError(`Cannot use the database of ${service}: ${explain(error)}`);
  }
  throw new ShellError(
    `Cannot use the database of ${service}: it has no tables; the service makes them when it starts`,
  );
}
