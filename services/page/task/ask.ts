import { client, may } from "../session/session.ts";
import { type Family, familyOf } from "./family.ts";

/** A task with its descendants and all their runs: three questions, however many they are. */
export async function askForFamily(id: number, signal: AbortSignal): Promise<Family> {
  const task = await client.tasks.get(id, { signal });
  const { job_id } = task;
  const [jobTasks, jobRuns] = await Promise.all([
    client.tasks.list({ job_id, sort: "id" }, { signal }).all(),
    may("run:VIEW")
      ? client.runs.list({ job_id, sort: "id", payload: "none" }, { signal }).all()
      : [],
  ]);
  return familyOf(task, { jobTasks, jobRuns });
}
