/**
 * A new task: where it may run, whom it comes from, and its first writing.
 * @module
 */
import type { Context } from "hono";
import { z } from "zod";
import { id, integer, name, nullAsAbsent, text } from "../../../shared/contract/fields.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import { type AppEnv } from "../../../shared/contract/app.ts";
import { found } from "../../../shared/contract/validate.ts";
import { callerOf, once } from "../../../shared/storage/idempotency.ts";
import type { Change } from "../../../shared/storage/outbox.ts";
import {
  demand,
  isMember,
  mayCollaboration,
  type Principal,
} from "../../../shared/contract/permissions.ts";
import { isBlobId } from "../../../shared/node_protocol/blobs.ts";
import { isFinal } from "../../../shared/node_protocol/status.ts";
import type { RpcOutput } from "../../../shared/messages/questions.ts";
import type { TaskDeps } from "../deps.ts";
import { dispatch } from "../dispatch/send.ts";
import {
  beginsEncrypted,
  beginsPlain,
  HEAD,
  looksEncrypted,
  looksPlain,
  taskStatus,
} from "../rules.ts";
import { showTask } from "../show.ts";
import { insertResults } from "../store/result.ts";
import {
  databasesOfTasks,
  insertTask,
  type NewTask,
  nextRunId,
  progressOfTasks,
  shareTask,
  statusesOfTask,
  taskById,
  type TaskRow,
} from "../store/task.ts";
import { attachBlob, blobPiece } from "../store/blob.ts";

const database = z.strictObject({
  label: text.pipe(z.string().min(1)),
  query: nullAsAbsent(text),
  sheet_name: nullAsAbsent(text),
  preprocessing: nullAsAbsent(z.array(z.looseObject({ function: text }))),
  arguments: nullAsAbsent(z.record(z.string(), z.unknown())),
});

/** Who is to compute, and with which input. */
export const recipients = z.array(z.object({ id, input: text })).min(1, "must name at least one")
  .refine(
    (list) => new Set(list.map((one) => one.id)).size === list.length,
    "must name each organization once",
  );

/** A year; beyond it a limit is a mistake. */
const MAX_TIMEOUT_SECONDS = 366 * 86_400;

/**
 * Bytes, as JSON, of what every dispatch of a task carries, and every token of its containers (contract §2.5): a token goes in
 * a header, and HTTP servers take 64 KiB of those.
 */
const MAX_DISPATCHED = 40 * 1024;
const encoder = new TextEncoder();

export const newTask = z.object({
  image: text.pipe(z.string().min(1)),
  organizations: recipients,
  collaboration_id: nullAsAbsent(id),
  study_id: nullAsAbsent(id),
  name: nullAsAbsent(z.union([z.literal(""), name])),
  description: nullAsAbsent(text.pipe(z.string().max(1024))),
  databases: nullAsAbsent(z.array(database)),
  store_id: nullAsAbsent(id),
  /** This server as the algorithm store knows it. */
  server_url: nullAsAbsent(text.pipe(z.url({ protocol: /^https?$/ }).max(1024))),
  /** Beyond the field's API: what is unfinished after so many seconds fails. */
  timeout_seconds: nullAsAbsent(integer.pipe(z.number().min(1).max(MAX_TIMEOUT_SECONDS))),
}).refine(
  (task) => task.collaboration_id !== undefined || task.study_id !== undefined,
  "collaboration_id or study_id must be given",
);
export type NewTaskBody = z.infer<typeof newTask>;

type Place = NonNullable<RpcOutput<"collaboration", "scope">["collaboration"]>;
type Origin = Omit<NewTask, "name" | "description" | "collaboration_id" | "job_id"> & {
  /** Undefined asks for a new one. */
  job_id: number | undefined;
};

/** Refuses what no dispatch or token could carry. */
function checkSize({ image, databases }: NewTaskBody): void {
  const { length } = encoder.encode(JSON.stringify([image, databases]));
  if (length <= MAX_DISPATCHED) return;
  const message = `image and databases may have ${MAX_DISPATCHED} bytes together as JSON, not ` +
    `${length}; what is larger belongs into the input`;
  throw new SextantError("invalid_request", `Cannot create the task: ${message}.`, {
    errors: { databases: [message] },
  });
}

/** Creates tasks and answers as `POST /task` does; refuses in the contract's order (§3.7). */
export function createTasks({ db, outbox, ask, settings, now }: TaskDeps) {
  async function placeOf({ collaboration_id, study_id, organizations }: NewTaskBody) {
    const { collaboration, study, nodes } = await ask("collaboration", "scope", {
      ...(collaboration_id === undefined ? {} : { collaboration_id }),
      ...(study_id === undefined ? {} : { study_id }),
    });
    if (study_id !== undefined) found(study ?? undefined, "study", study_id);
    const place = found(
      collaboration ?? undefined,
      "collaboration",
      collaboration_id ?? "of the study",
    );
    if (study && study.collaboration_id !== place.id) {
      throw new SextantError(
        "invalid_request",
        `Study ${study.id} does not belong to collaboration ${place.id}.`,
      );
    }
    const nodeOf = new Map(nodes.map((node) => [node.organization_id, node.id]));
    for (const { id } of organizations) {
      const lacks = !place.organization_ids.includes(id)
        ? `is not in collaboration ${place.id}`
        : study && !study.organization_ids.includes(id)
        ? `is not in study ${study.id}`
        : !nodeOf.has(id)
        ? `has no node in collaboration ${place.id}`
        : undefined;
      if (lacks) throw new SextantError("invalid_request", `Organization ${id} ${lacks}.`);
    }
    return { collaboration: place, nodeOf };
  }

  /** Who the task comes from, and what of it is given by that. */
  async function originOf(
    principal: Principal,
    given: NewTaskBody,
    collaboration: Place,
    authorization: string | undefined,
  ): Promise<Origin> {
    const timeout_seconds = given.timeout_seconds ?? null;
    const deadline_at = timeout_seconds === null
      ? null
      : new Date(now().getTime() + timeout_seconds * 1000);
    const common = { study_id: given.study_id ?? null, timeout_seconds, deadline_at };
    if (principal.kind === "container") {
      const parent = await taskById(db, principal.task_id);
      demand(parent !== undefined, "create subtasks of a task that does not exist any more");
      demand(given.image === principal.image, "create subtasks with another algorithm");
      demand(
        collaboration.id === principal.collaboration_id,
        "create subtasks in another collaboration",
      );
      return {
        ...common,
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
    demand(
      isMember(principal, collaboration.id),
      "create tasks in a collaboration that your organization is not a member of",
    );
    demand(mayCollaboration(principal, "task:CREATE", collaboration.id), "create tasks there");
    return {
      ...common,
      ...await algorithmOf(given, collaboration, authorization),
      parent_id: null,
      job_id: undefined,
      init_user_id: principal.id,
      init_username: principal.kind === "user" ? principal.username : null,
      init_org_id: principal.organization_id,
    };
  }

  /** The image, and the store that has approved it: nodes rely on that when their rules name stores. */
  async function algorithmOf(
    { image, store_id: storeId, server_url }: NewTaskBody,
    collaboration: Place,
    authorization: string | undefined,
  ) {
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
    const approved = await ask("collaboration", "approved_image", {
      store_id: storeId,
      image,
      ...(authorization === undefined ? {} : { authorization }),
      ...(server_url === undefined ? {} : { server_url }),
    });
    return {
      image: approved.image,
      algorithm_store_id: storeId,
      algorithm_store_url: store.url,
    };
  }

  /** Refuses an input that does not have the form that the collaboration asks for. */
  async function checkInput(
    { kind }: Principal,
    { id, input }: { id: number; input: string },
    { encrypted }: Place,
  ): Promise<void> {
    let fits: boolean;
    if (isBlobId(input)) {
      const start = await blobPiece(db, input, { position: 0, from: 0, length: HEAD });
      if (!start) {
        throw new SextantError(
          "invalid_request",
          `The input for organization ${id} names a blob that does not exist: ${input}.`,
        );
      }
      fits = encrypted ? beginsEncrypted(start) : beginsPlain(start);
    } else if (settings.blobStoreEnabled && kind !== "container") {
      // Algorithms are older than blobs; what is in their images does not change.
      throw new SextantError(
        "invalid_request",
        `The input for organization ${id} must be the UUID of a blob: upload it to /api/blobstream.`,
        { errors: { organizations: [`input of organization ${id} is not a UUID`] } },
      );
    } else {
      fits = encrypted ? looksEncrypted(input) : looksPlain(input);
    }
    if (fits) return;
    const form = encrypted
      ? "encrypted (the collaboration is)"
      : "base64 of UTF-8 text (the collaboration is not encrypted)";
    throw new SextantError(
      "invalid_request",
      `The input for organization ${id} must be ${form}.`,
      { errors: { organizations: [`input of organization ${id} has the wrong form`] } },
    );
  }

  async function write(
    change: Change,
    principal: Principal,
    given: NewTaskBody,
    { collaboration, nodeOf }: { collaboration: Place; nodeOf: Map<number, number> },
    origin: Origin,
  ): Promise<TaskRow> {
    const { tx, emit } = change;
    if (origin.parent_id !== null) {
      // Under this lock the parent cannot be killed between this look and the commit.
      const parent = await shareTask(tx, origin.parent_id);
      const open = parent && !isFinal(taskStatus(await statusesOfTask(tx, parent.id)));
      demand(open === true, "create subtasks of a task that is over");
    }
    const databases = (given.databases ?? []).map(({ label, ...parameters }) => ({
      label,
      parameters: JSON.stringify(parameters),
    }));
    const task = await insertTask(tx, {
      ...origin,
      name: given.name ?? "",
      description: given.description ?? "",
      collaboration_id: collaboration.id,
      job_id: origin.job_id ?? await nextRunId(tx),
    }, databases);
    const results = await insertResults(
      tx,
      given.organizations.map(({ id, input }) => ({
        task_id: task.id,
        organization_id: id,
        node_id: nodeOf.get(id)!,
        input,
        input_in_blob: isBlobId(input),
      })),
    );
    for (const { id, input } of given.organizations) {
      if (!isBlobId(input)) continue;
      // A node uploads for the containers it runs.
      const owners = [
        callerOf(principal),
        ...(principal.kind === "container" ? [`node:${principal.id}`] : []),
      ];
      const resultId = results.find((one) => one.organization_id === id)!.id;
      if (await attachBlob(tx, input, { owners, resultId })) continue;
      throw new SextantError(
        "invalid_request",
        `The blob ${input} cannot be an input: it is not complete, not yours, or in use already.`,
      );
    }
    await dispatch(change, task, results, task.created_at);
    emit("task.created", {
      task_id: task.id,
      run_id: task.job_id,
      parent_id: task.parent_id,
      collaboration_id: task.collaboration_id,
      init_org_id: task.init_org_id,
      init_user_id: task.init_user_id,
    });
    return task;
  }

  return async function create(c: Context<AppEnv>, given: NewTaskBody): Promise<Response> {
    const principal = c.get("principal");
    checkSize(given);
    const place = await placeOf(given);
    const origin = await originOf(
      principal,
      given,
      place.collaboration,
      c.req.header("authorization"),
    );
    for (const one of given.organizations) {
      await checkInput(principal, one, place.collaboration);
    }
    return await once(c, outbox, async (change) => {
      const task = await write(change, principal, given, place, origin);
      c.get("log").info("Task created", { task_id: task.id, run_id: task.job_id });
      const [progress] = await progressOfTasks(change.tx, [task.id]);
      const databases = await databasesOfTasks(change.tx, [task.id]);
      return c.json(showTask(task, databases, progress), 201);
    });
  };
}
