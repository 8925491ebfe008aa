/**
 * Who a new task comes from, and what of it is given by that.
 * @module
 */
import {
  demand,
  isMember,
  mayCollaboration,
  type Principal,
} from "../../../shared/contract/permissions.ts";
import type { NewTask } from "../../../shared/contract/task.ts";
import { type Ask, askerOf } from "../../../shared/messages/questions.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Db } from "../../../shared/storage/db.ts";
import type { TaskDeps } from "../deps.ts";
import { taskById, type TaskRow } from "../store/task.ts";
import type { Collaboration } from "./scope.ts";

export type Origin =
  & Pick<
    TaskRow,
    | "image"
    | "parent_id"
    | "init_user_id"
    | "init_username"
    | "init_org_id"
    | "algorithm_store_id"
    | "algorithm_store_url"
  >
  & {
    /** Undefined asks for a new one. */
    job_id: number | undefined;
  };

export interface OriginOptions {
  principal: Principal;
  given: NewTask;
  collaboration: Collaboration;
}

/** The origin of a task; refuses (401) what the caller may not create. */
export async function originOf(
  { db, ask }: Pick<TaskDeps, "db" | "ask">,
  { principal, given, collaboration }: OriginOptions,
): Promise<Origin> {
  if (principal.kind === "container") {
    return await originOfSubtask(db, principal, { given, collaboration });
  }
  demand(
    isMember(principal, collaboration.id),
    "create tasks in a collaboration that your organization is not a member of",
  );
  demand(mayCollaboration(principal, "task:CREATE", collaboration.id), "create tasks there");
  return {
    ...await algorithmOf(ask, { principal, given, collaboration }),
    parent_id: null,
    job_id: undefined,
    init_user_id: principal.id,
    init_username: principal.kind === "user" ? principal.username : null,
    init_org_id: principal.organization_id,
  };
}

/** A subtask is what its parent is, of the organization at whose node it was made. */
async function originOfSubtask(
  db: Db,
  principal: Principal & { kind: "container" },
  { given, collaboration }: Pick<OriginOptions, "given" | "collaboration">,
): Promise<Origin> {
  const parent = await taskById(db, principal.task_id);
  demand(parent !== undefined, "create subtasks of a task that does not exist any more");
  demand(given.image === principal.image, "create subtasks with another algorithm");
  demand(
    collaboration.id === principal.collaboration_id,
    "create subtasks in another collaboration",
  );
  return {
    image: parent!.image,
    parent_id: parent!.id,
    job_id: parent!.job_id,
    init_user_id: parent!.init_user_id,
    init_username: parent!.init_username,
    init_org_id: principal.organization_id,
    algorithm_store_id: parent!.algorithm_store_id,
    algorithm_store_url: parent!.algorithm_store_url,
  };
}

/**
 * The image, and the store that has approved it: nodes rely on that when their rules name stores.
 */
async function algorithmOf(
  ask: Ask,
  { principal, given, collaboration }: OriginOptions,
): Promise<Pick<Origin, "image" | "algorithm_store_id" | "algorithm_store_url">> {
  const { image, store_id: storeId, server_url } = given;
  if (storeId === undefined) {
    return { image, algorithm_store_id: null, algorithm_store_url: null };
  }
  const store = await ask("collaboration", "store", { id: storeId });
  if (!store) {
    throw new SextantError("invalid_request", `There is no algorithm store ${storeId}.`);
  }
  if (store.collaboration_id !== null && store.collaboration_id !== collaboration.id) {
    throw new SextantError(
      "not_member_of_store",
      `Algorithm store ${storeId} is not linked to collaboration ${collaboration.id}.`,
    );
  }
  const asker = askerOf(principal);
  const approved = await ask("collaboration", "approved_image", {
    store_id: storeId,
    image,
    ...(asker ? { asker } : {}),
    ...(server_url === undefined ? {} : { server_url }),
  });
  return {
    image: approved.image,
    algorithm_store_id: storeId,
    algorithm_store_url: store.url,
  };
}
