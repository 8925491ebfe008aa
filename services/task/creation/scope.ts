/**
 * Where a new task may run.
 * @module
 */
import type { NewTask } from "../../../shared/contract/task.ts";
import { found } from "../../../shared/contract/validate.ts";
import type { Ask, RpcOutput } from "../../../shared/messages/questions.ts";
import { SextantError } from "../../../shared/service/errors.ts";

/** The collaboration that a task is for, with all its members. */
export type Collaboration = NonNullable<RpcOutput<"collaboration", "scope">["collaboration"]>;

export interface Scope {
  collaboration: Collaboration;
  /** The node of each organization. */
  nodeOf: Map<number, number>;
}

/**
 * Finds collaboration and nodes; refuses organizations that are not in collaboration and study, or
 * have no node.
 */
export async function scopeOf(
  ask: Ask,
  { collaboration_id, study_id, organizations }: NewTask,
): Promise<Scope> {
  const { collaboration: given, study, nodes } = await ask("collaboration", "scope", {
    ...(collaboration_id === undefined ? {} : { collaboration_id }),
    ...(study_id === undefined ? {} : { study_id }),
  });
  if (study_id !== undefined) found(study ?? undefined, "study", study_id);
  const collaboration = found(
    given ?? undefined,
    "collaboration",
    collaboration_id ?? "of the study",
  );
  if (study && study.collaboration_id !== collaboration.id) {
    throw new SextantError(
      "invalid_request",
      `Study ${study.id} does not belong to collaboration ${collaboration.id}.`,
    );
  }
  const nodeOf = new Map(nodes.map((node) => [node.organization_id, node.id]));
  function whatLacks(id: number): string | undefined {
    if (!collaboration.organization_ids.includes(id)) {
      return `is not in collaboration ${collaboration.id}`;
    }
    if (study && !study.organization_ids.includes(id)) return `is not in study ${study.id}`;
    if (!nodeOf.has(id)) return `has no node in collaboration ${collaboration.id}`;
  }
  for (const { id } of organizations) {
    const lacks = whatLacks(id);
    if (lacks) throw new SextantError("invalid_request", `Organization ${id} ${lacks}.`);
  }
  return { collaboration, nodeOf };
}
