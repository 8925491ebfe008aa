/**
 * Where a task goes: to the organizations that are named, or to those that its method is meant for.
 * @module
 */
import { UsageError } from "../../../shared/command_line/read_args.ts";
import type { Node } from "../../../shared/contract/node.ts";
import type { Client } from "../client.ts";
import { oneNamed } from "./names.ts";
import type { Chosen } from "./which_algorithm.ts";

export interface Place {
  organizations: { id: number; name: string }[];
  /** Of these, those whose node is away: their shares wait for it. */
  offline: string[];
}

export interface Wanted {
  /** Names or ids with commas between, or `all`. */
  organizations: string | undefined;
  studyId: number | undefined;
  collaborationId: number;
  /** The caller's own. */
  ownId: number;
}

/**
 * A method that asks others itself (it describes `rounds`, or is called `central`) goes to one's
 * own organization alone, any other to all that may run it. Of an algorithm that says nothing of
 * itself nothing is guessed.
 */
export async function chooseOrganizations(
  client: Client,
  { chosen, method, wanted }: { chosen: Chosen; method: string; wanted: Wanted },
): Promise<Place> {
  const { collaborationId, studyId, ownId } = wanted;
  const members = await client.organizations.list(
    studyId === undefined ? { collaboration_id: collaborationId } : { study_id: studyId },
  ).all();
  const nodes = await client.nodes.list({ collaboration_id: collaborationId }).all();
  const organizations = pick();
  return { organizations, offline: organizations.filter((one) => isAway(one.id)).map(nameOf) };

  function pick() {
    if (wanted.organizations === "all") return members;
    if (wanted.organizations !== undefined) {
      const names = wanted.organizations.split(",").map((one) => one.trim()).filter(Boolean);
      if (names.length === 0) throw new UsageError("--organizations names none");
      const found = names.map((name) => oneNamed(members, { wanted: name, what: "organization" }));
      return [...new Set(found)];
    }
    const described = chosen.description?.methods[method];
    if (!described && !method.startsWith("central")) {
      throw new UsageError("Say who is to compute: --organizations all, or their names");
    }
    if (described && described.rounds === undefined && method !== "central") {
      const able = new Set(
        chosen.told.flatMap(({ nodes }) => nodes)
          .filter((one) => one.collaboration.id === collaborationId && one.methods.includes(method))
          .map(({ organization }) => organization.id),
      );
      const some = members.filter(({ id }) => able.has(id));
      if (some.length > 0) return some;
    }
    const own = members.find(({ id }) => id === ownId);
    if (own && hasNode(own.id)) return [own];
    throw new UsageError(
      "Your organization has no node in the collaboration; name one where it is to run: " +
        "--organizations NAME",
    );
  }

  function nodesOf(id: number): Node[] {
    return nodes.filter(({ organization }) => organization.id === id);
  }
  function hasNode(id: number): boolean {
    return nodesOf(id).length > 0;
  }
  function isAway(id: number): boolean {
    return !nodesOf(id).some(({ status }) => status === "online");
  }
  function nameOf({ name }: { name: string }): string {
    return name;
  }
}
