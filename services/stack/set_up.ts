/**
 * The set-up of a deployment in processes of its own: what it needs for that, the launcher would
 * else have in its memory as long as it runs.
 * @module
 */
import { HUB_SERVICES, type HubService } from "../../shared/broker/subjects.ts";
import { childEnvironment } from "./child_environment.ts";
import { keepSecret, newSecret } from "./deployment.ts";
import { DATABASE, natsConfigIn, roleOf, type RolePasswords, serviceFolderIn } from "./names.ts";
import { startProcess } from "./process.ts";
import { ROOT } from "./service_part.ts";
import type { BrokerAddress, Deployment } from "./setup.ts";
import { join } from "node:path";

export const SET_UP_MAIN = "services/stack/set_up_main.ts";

/** What the process is asked to do. */
export type SetUpTask =
  | { step: "files"; folder: string; brokers: BrokerAddress[] }
  | {
    step: "databases";
    folder: string;
    /** The addresses of two databases for the server's administrator, by their names. */
    adminUrls: Record<string, string>;
    /** Where each service finds its own. */
    serviceUrls: Record<HubService, string>;
  };

/** Makes the secrets of all parts and the broker's configuration; see `setUpFiles`. */
export async function setUpFilesApart(
  folder: string,
  ...brokers: BrokerAddress[]
): Promise<Deployment> {
  await run({ step: "files", folder, brokers });
  const passwords = Object.fromEntries(
    await Promise.all(HUB_SERVICES.map(async (service) => [
      service,
      await keepSecret(join(folder, "database", service), newSecret),
    ])),
  ) as RolePasswords;
  const natsConfigs = brokers.map(({ name }) => natsConfigIn(folder, name));
  return {
    natsConfig: natsConfigs[0]!,
    natsConfigs,
    passwords,
    serviceFolder: (service) => serviceFolderIn(folder, service),
  };
}

/** Makes the database with a role and a schema per service; see `setUpServiceDatabases`. */
export async function setUpDatabasesApart(
  folder: string,
  { passwords }: Deployment,
  { adminUrl, serviceUrl }: {
    adminUrl: (database: string) => string;
    serviceUrl: (role: string, password: string) => string;
  },
): Promise<void> {
  await run({
    step: "databases",
    folder,
    adminUrls: Object.fromEntries(["postgres", DATABASE].map((name) => [name, adminUrl(name)])),
    serviceUrls: Object.fromEntries(HUB_SERVICES.map((service) => [
      service,
      serviceUrl(roleOf(service), passwords[service]),
    ])) as Record<HubService, string>,
  });
}

/** Its environment is readable by this account alone, as the files with the same passwords are. */
async function run(task: SetUpTask): Promise<void> {
  const process = startProcess({
    command: Deno.execPath(),
    args: ["run", "--quiet", "--no-prompt", "--allow-all", `${ROOT}${SET_UP_MAIN}`],
    cwd: ROOT,
    env: childEnvironment({ NO_COLOR: "1", SEXTANT_SET_UP: JSON.stringify(task) }),
  });
  const { success } = await process.exited;
  if (success) return;
  throw new Error(`Cannot set up the hub in ${task.folder}:\n${process.lastLines().join("\n")}`);
}
