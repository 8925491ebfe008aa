/**
 * What a deployment's files, database and roles are called.
 * @module
 */
import { join } from "node:path";
import type { HubService, ServiceName } from "../../shared/broker/subjects.ts";

export const DATABASE = "sextant";

export type RolePasswords = Record<HubService, string>;

/** The role a service connects as. */
export function roleOf(service: HubService): string {
  return `sextant_${service}`;
}

/** The folder of a deployment that one service alone reads. */
export function serviceFolderIn(folder: string, service: ServiceName): string {
  return join(folder, "services", service);
}

/** The configuration file of a server of the broker, by the name of its folder. */
export function natsConfigIn(folder: string, name = "nats"): string {
  return join(folder, name, "nats.conf");
}

/** Names of the files in a service's folder. */
export const FILES = {
  brokerTrust: "broker_trust.json",
  enrolment: "enrolment.json",
  databaseUrl: "database_url",
  /** Seals secrets in identity's database. */
  secretsKey: "secrets_key",
  dispatchKey: "dispatch_key",
  dispatchPublicKeys: "dispatch_public_keys",
  /** With which Prometheus gets the figures. */
  metricsToken: "metrics_token",
  /** Folder with the page for people. */
  page: "page",
  /** Of an administrator whom identity has made, until it was shown. */
  newAdministrator: "new_administrator.json",
} as const;

/** The file in the shell's folder that holds the address of a service's database. */
export function databaseUrlFile(service: HubService): string {
  return `${service}_${FILES.databaseUrl}`;
}
