/**
 * One step of a deployment's set-up, as `SEXTANT_SET_UP` in the environment says; see `set_up.ts`.
 * @module
 */
import { messageOf } from "../../shared/service/errors.ts";
import { HUB_SERVICES } from "../../shared/broker/subjects.ts";
import { roleOf } from "./names.ts";
import type { SetUpTask } from "./set_up.ts";
import { setUpFiles, setUpServiceDatabases } from "./setup.ts";

async function setUp(task: SetUpTask): Promise<void> {
  const deployment = await setUpFiles(task.folder, ...task.step === "files" ? task.brokers : []);
  if (task.step === "files") return;
  const urls = new Map(HUB_SERVICES.map((one) => [roleOf(one), task.serviceUrls[one]]));
  await setUpServiceDatabases(deployment, {
    adminUrl: (database) => task.adminUrls[database]!,
    serviceUrl: (role) => urls.get(role)!,
  });
}

try {
  // Its launcher is of the same checkout.
  await setUp(JSON.parse(Deno.env.get("SEXTANT_SET_UP") ?? ""));
} catch (error) {
  console.error(messageOf(error));
  Deno.exit(1);
}
