/**
 * A hub of one server becomes a cluster, and the backup of a cluster a hub of one server.
 * @module
 */
import assert from "node:assert/strict";
import { ROOT } from "../services/stack/service_part.ts";
import { type Stack, startStack } from "../services/stack/stack.ts";
import { CACHE_FOLDER, temporaryFolder } from "./harness.ts";
import { createApiClient } from "./support/api.ts";
import { whyNoCluster } from "./support/cluster.ts";

const missing = whyNoCluster();

async function run(command: "backup" | "restore", ...args: string[]): Promise<void> {
  const main = `${ROOT}services/stack/backup/main.ts`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, command, ...args],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

Deno.test({
  name:
    "a hub of one server becomes a cluster and no single hub again; the cluster's backup becomes one",
  ignore: missing !== undefined,
  async fn() {
    const folder = await temporaryFolder();
    const hubs: Stack[] = [];
    const start = async (name: string, cluster = false) => {
      const data = `${folder.path}/${name}`;
      const hub = await startStack({
        folder: data,
        cacheFolder: CACHE_FOLDER,
        temporary: true,
        cluster,
      });
      hubs.push(hub);
      return hub;
    };
    const stop = () => hubs.pop()!.stop();
    try {
      const single = await start("hub");
      const { username, password } = await single.adminCredentials();
      const logIn = (hub: Stack) => createApiClient(hub.gatewayUrl).login(username, password);
      const { id } = await (await logIn(single)).post("/organization", { name: "Clinic" });
      await stop();

      const cluster = await start("hub", true);
      const admin = await logIn(cluster);
      assert.equal((await admin.get(`/organization/${id}`)).name, "Clinic");
      assert.equal(await cluster.primary(), "postgres", "the one with the data");
      await admin.request("PATCH", `/organization/${id}`, { name: "Hospital" });
      const file = `${folder.path}/hub.backup`;
      await run("backup", "--to", file, "--data", cluster.folder);
      await stop();
      await assert.rejects(start("hub"), /holds a cluster\. Start it with --cluster/);

      await run("restore", "--from", file, "--data", `${folder.path}/elsewhere`);
      const again = await logIn(await start("elsewhere"));
      assert.equal((await again.get(`/organization/${id}`)).name, "Hospital");
      await stop();
    } finally {
      for (const hub of hubs) await hub.stop();
      await folder.remove();
    }
  },
});
