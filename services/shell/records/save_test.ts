import assert from "node:assert/strict";
import { useTestPostgres } from "../../../tests/harness.ts";
import { prepareDatabases } from "../../../tests/support/shell.ts";
import { openSession } from "../session.ts";
import type { Shell } from "../shell.ts";

const postgres = useTestPostgres();

async function inShell(work: (shell: Shell) => Promise<void>): Promise<void> {
  const databaseUrls = await postgres.newDatabases();
  await prepareDatabases(databaseUrls);
  const addresses = { databaseUrls, broker: undefined, gatewayUrl: undefined };
  const session = await openSession({ addresses, say: () => {} });
  try {
    await work(session.shell);
  } finally {
    await session.close();
  }
}

Deno.test("what leaves nobody who can administer the hub is refused unless the operator forces it", async () => {
  await inShell(async ({ models }) => {
    const organization = await new models.Organization({ name: "hub" }).save();
    const user = await new models.User({
      username: "only",
      password: "Secret-password-1",
      organization,
      roles: ["Root"],
    }).save();
    const root = (await models.Role.findOne({ name: "Root" }))!;
    const refusal = /nobody would be left who can administer this server/;
    user.roles = ["Viewer"];
    await assert.rejects(user.save(), refusal);
    root.rules = [1];
    await assert.rejects(root.save(), refusal);
    await assert.rejects(user.delete({ yes: true }), refusal);
    await assert.rejects(organization.delete({ yes: true }), refusal);
    await assert.rejects(organization.delete({ yes: true, force: false }), refusal);

    await user.save({ force: true });
    user.roles = ["Root"];
    await user.save();
    await root.save({ force: true });
    assert.match(
      await organization.delete({ yes: true, force: true }),
      /is deleted, and with it 1 user/,
    );
  });
});
