/**
 * The contract's walk-through with the typed client: from log-in to results. Web standards alone,
 * so that every platform can take it.
 * @module
 */
import { type Client, createClient, readOrganizationKey } from "../../services/client/mod.ts";

export interface Walk {
  url: string;
  login: { username: string; password: string };
  collaborationId: number;
  /** Of the members, the researcher's own first. */
  organizations: number[];
  /** The private key of the first, in an encrypted collaboration. */
  key?: string | undefined;
}

/** What was found on the way, all of it as JSON. */
export async function walk({ url, login, collaborationId, organizations, key: pem }: Walk) {
  const client = createClient({ url });
  const { needs } = await client.logIn(login);
  const key = pem === undefined ? undefined : await readOrganizationKey(pem);
  const own = organizations[0]!;
  const task = { image: "deno:average@1.0.0", collaboration: collaborationId };

  const central = await client.run({
    ...task,
    organizations: [own],
    input: { method: "central", kwargs: { column: "x" } },
  }, { key });
  const partial = await client.run({
    ...task,
    organizations,
    input: { method: "partial", kwargs: { column: "x" } },
    name: "each by itself",
  }, { key });
  const failing = await client.run({
    image: "deno:slow@1.0.0",
    collaboration: collaborationId,
    organizations: [own],
    input: { method: "fail" },
  }, { key });
  const again = await client.results.of(central.taskId, { key });
  const { id: waiting } = await client.post({
    image: "deno:slow@1.0.0",
    collaboration: collaborationId,
    organizations: [own],
    input: { method: "wait", kwargs: { ms: 600_000 } },
  }, { key });
  await client.tasks.kill(waiting);

  const found = {
    needs: needs ?? null,
    who: (await client.account.whoAmI()).username,
    organizations: (await namesOf(client, collaborationId)).length,
    nodes: (await client.nodes.list({ collaboration_id: collaborationId }).all())
      .map(({ status }) => status),
    central: central.outcomes.map(({ result }) => result!.value),
    partial: partial.outcomes.map(({ organizationId, result }) => [organizationId, result!.value]),
    failed: failing.failed.map(({ status, reason }) => [status, reason]),
    good: failing.outcomes.length - failing.failed.length,
    again: again.map(({ result }) => result!.value),
    killed: await client.follow(waiting),
    named: (await client.tasks.list({ name: "each by itself" }).first())?.id === partial.taskId,
    missing: await nameOfError(() => client.tasks.get(2_000_000_000)),
    refused: await nameOfError(() => client.collaborations.delete(collaborationId)),
    loggedOut: "",
  };
  await client.logOut();
  found.loggedOut = await nameOfError(() => client.account.whoAmI());
  return found;
}

/** Page by page. */
async function namesOf(client: Client, collaborationId: number): Promise<string[]> {
  const names: string[] = [];
  const list = client.organizations.list({ collaboration_id: collaborationId }, { perPage: 1 });
  for await (const { name } of list) names.push(name);
  return names;
}

async function nameOfError(act: () => Promise<unknown>): Promise<string> {
  try {
    await act();
    return "none";
  } catch (error) {
    return (error as Error).name;
  }
}
