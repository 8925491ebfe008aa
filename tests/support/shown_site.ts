/**
 * Tasks whose results are what the test wants to see.
 * @module
 */
import assert from "node:assert/strict";
import { createClient, type OrganizationKey } from "../../services/client/mod.ts";
import type { Site } from "../site.ts";

/** Asks the first organization for `value`, and resolves with the task once it has answered. */
export async function post(
  url: string,
  site: Site,
  { method, value, name = "a task to look at", key }: {
    /** Of the algorithm `shown`. */
    method: string;
    value: unknown;
    name?: string | undefined;
    key?: OrganizationKey;
  },
): Promise<number> {
  const client = createClient({ url });
  await client.logIn(site.login);
  const { taskId, failed } = await client.run({
    image: "deno:shown@1.0.0",
    collaboration: site.collaborationId,
    name,
    organizations: [site.members[0]!.id],
    input: { method, kwargs: { value } },
  }, key ? { key } : {});
  assert.deepEqual(failed.map(({ reason }) => reason), []);
  return taskId;
}
