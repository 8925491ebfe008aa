/**
 * The `setup` container of compose.yaml: waits for the database server, and makes what every part
 * must be given before it can start.
 * @module
 */
import { ConfigError } from "../../shared/service/config.ts";
import { createLogger } from "../../shared/service/log.ts";
import { openDatabase, waitForDatabase } from "../../shared/storage/db.ts";
import { namedDeployment, setUpNamed } from "./named_deployment.ts";

if (import.meta.main) {
  const log = createLogger("setup");
  const deployment = namedDeployment();
  if (!deployment) {
    throw new ConfigError(["SEXTANT_POSTGRES_URL and SEXTANT_SETUP_FOLDER are missing"]);
  }
  const database = openDatabase(deployment.adminUrl("postgres"), { schema: "public", log, max: 1 });
  await waitForDatabase(database, log);
  await database.end();
  await setUpNamed(deployment);
  log.info("The deployment is set up", { folder: deployment.folder });
}
