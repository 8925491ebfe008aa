/**
 * The SQL of which code a job runs.
 * @module
 */
import type { Tx } from "../../../shared/storage/db.ts";
import type { TaskRow } from "./task.ts";

/**
 * The code under the task's image in its job: the one that is there, else `code`, which it is then.
 *
 * One statement, so that of two that begin at once one is first and the other one waits for it.
 * Only where nothing is known yet: what is, never changes, and a thousand nodes that start need not
 * wait for one another's lock. The row goes with the first task of the job, and so with the whole
 * of it.
 */
export async function codeOfJob(
  tx: Tx,
  { job_id, image }: Pick<TaskRow, "job_id" | "image">,
  code: string,
): Promise<string> {
  const [row] = await tx<{ code: string }[]>`
    with known as (select code from job_code where job_id = ${job_id} and image = ${image}),
    made as (
      insert into job_code (job_id, image, code, task_id)
      select ${job_id}::integer, ${image}::text, ${code}::text,
        (select min(id) from task where job_id = ${job_id})
      where not exists (select from known)
      on conflict (job_id, image) do update set code = job_code.code
      returning code
    )
    select code from known union all select code from made`;
  return row!.code;
}
