/**
 * The one-off set-up of a deployment: what every part must be given before it can start. Safe to do
 * again; what exists is kept.
 *
 * `deno task up` does it in its data folder, and the `setup` container of compose.yaml by
 * `set_up_named.ts`.
 * @module
 */
import { join } from "node:path";
import { endOfEnrolment, enrolmentSchema } from "../../shared/broker/service_connection.ts";
import {
  ENROLMENT_SECONDS,
  issueEnrolmentCredential,
  newTrust,
  type Trust,
  trustSchema,
} from "../../shared/broker/trust.ts";
import { newUserKey, publicKeyOf } from "../../shared/broker/signing.ts";
import { type BrokerCluster, natsServerConfig } from "../../shared/broker/server_config.ts";
import { HUB_SERVICES, type ServiceName } from "../../shared/broker/subjects.ts";
import { newVaultKey } from "../identity/secrets/vault.ts";
import { setUpDatabase } from "./database.ts";
import { keepSecret, newSecret, writeSecret } from "./deployment.ts";
import {
  databaseUrlFile,
  FILES,
  natsConfigIn,
  roleOf,
  type RolePasswords,
  serviceFolderIn,
} from "./names.ts";

/** Services that ask identity for their broker credential, and so hold an enrolment. */
const ENROLLED: ServiceName[] = ["gateway", "collaboration", "task", "shell"];

export interface BrokerAddress {
  /** Interface on which the broker listens. */
  host: string;
  port: number;
  websocketPort: number;
  /** Serves /healthz on the loopback interface. */
  monitorPort?: number;
  /** The folder of this server, below the deployment's. */
  name?: string;
  /** When it is one of several: where the others reach it, and it them. */
  cluster?: Pick<BrokerCluster, "port" | "routes">;
}

export interface Deployment {
  /** The configuration file of nats-server. */
  natsConfig: string;
  /** Of each, when there are several. */
  natsConfigs: string[];
  passwords: RolePasswords;
  /** The folder that one service alone reads. */
  serviceFolder(service: ServiceName): string;
}

/**
 * Makes the secrets of all parts, each in the folder of the part that may know it, and nats.conf
 * for each server of the broker.
 */
export async function setUpFiles(folder: string, ...brokers: BrokerAddress[]): Promise<Deployment> {
  const serviceFolder = (service: ServiceName) => serviceFolderIn(folder, service);

  const trust = trustSchema.parse(JSON.parse(
    await keepSecret(
      join(serviceFolder("identity"), FILES.brokerTrust),
      async () => JSON.stringify(await newTrust()),
    ),
  ));
  for (const service of ENROLLED) {
    const path = join(serviceFolder(service), FILES.enrolment);
    const kept = await keepSecret(path, () => newEnrolment(trust, service));
    if (isHalfOver(kept)) await writeSecret(path, await newEnrolment(trust, service));
  }
  await keepSecret(join(serviceFolder("identity"), FILES.secretsKey), newVaultKey);
  const dispatchSeed = await keepSecret(
    join(serviceFolder("task"), FILES.dispatchKey),
    () => newUserKey().seed,
  );
  await writeSecret(
    join(serviceFolder("identity"), FILES.dispatchPublicKeys),
    publicKeyOf(dispatchSeed),
  );

  await keepSecret(join(serviceFolder("gateway"), FILES.metricsToken), newSecret);

  const natsConfigs: string[] = [];
  for (const broker of brokers) natsConfigs.push(await setUpBroker(folder, trust, broker));

  const passwords = Object.fromEntries(
    await Promise.all(HUB_SERVICES.map(async (service) => [
      service,
      await keepSecret(join(folder, "database", service), newSecret),
    ])),
  ) as RolePasswords;
  return { natsConfig: natsConfigs[0]!, natsConfigs, passwords, serviceFolder };
}

/** Writes the configuration of one server of the broker; returns its path. */
async function setUpBroker(
  folder: string,
  trust: Trust,
  { name = "nats", cluster, ...address }: BrokerAddress,
): Promise<string> {
  const own = join(folder, name);
  const path = natsConfigIn(folder, name);
  const password = cluster && await keepSecret(join(folder, "nats", "routes_password"), newSecret);
  const config = natsServerConfig({
    trust,
    ...address,
    storeDir: join(own, "jetstream"),
    resolverDir: join(own, "accounts"),
    ...cluster && password ? { cluster: { ...cluster, serverName: name, password } } : {},
  });
  await writeSecret(path, config);
  return path;
}

/**
 * Whether an enrolment is to be renewed: soon over, unreadable, or of when they had no such end.
 */
function isHalfOver(text: string): boolean {
  try {
    const left = endOfEnrolment(enrolmentSchema.parse(JSON.parse(text))).getTime() - Date.now();
    return left < ENROLMENT_SECONDS * 500 || left > ENROLMENT_SECONDS * 1000;
  } catch {
    return true;
  }
}

async function newEnrolment(trust: Trust, service: ServiceName): Promise<string> {
  const { seed, publicKey } = newUserKey();
  const { jwt } = await issueEnrolmentCredential(trust, service, publicKey);
  return JSON.stringify({ seed, jwt });
}

export interface SetUpDatabasesOptions {
  adminUrl: (database: string) => string;
  /** The address by which a service's role reaches the database. */
  serviceUrl: (role: string, password: string) => string;
}

/** Makes the database with a role and a schema per service, and tells each service its address. */
export async function setUpServiceDatabases(
  { passwords, serviceFolder }: Deployment,
  { adminUrl, serviceUrl }: SetUpDatabasesOptions,
): Promise<void> {
  await setUpDatabase({ adminUrl, passwords });
  for (const service of HUB_SERVICES) {
    const url = serviceUrl(roleOf(service), passwords[service]);
    await writeSecret(join(serviceFolder(service), FILES.databaseUrl), url);
    await writeSecret(join(serviceFolder("shell"), databaseUrlFile(service)), url);
  }
}
