/**
 * A task that is to be run again with changes.
 * @module
 */
import { z } from "zod";
import { parsePythonJson } from "../../../shared/payload/python_json.ts";
import { bytesOfBase64 } from "../../../shared/payload/base64.ts";
import { client } from "../session/session.ts";

const call = z.looseObject({
  method: z.string(),
  args: z.array(z.unknown()).optional(),
  kwargs: z.record(z.string(), z.unknown()).optional(),
});

export interface Earlier {
  taskId: number;
  collaborationId: number;
  studyId: number | undefined;
  name: string;
  description: string;
  image: string;
  organizationIds: number[];
  databases: string[];
  /** What was called; `undefined` where the input is encrypted or lies apart. */
  call: z.infer<typeof call> | undefined;
}

export async function earlierTask(id: number, signal: AbortSignal): Promise<Earlier> {
  const [task, runs] = await Promise.all([
    client.tasks.get(id, { signal }),
    client.runs.list({ task_id: id }, { signal }).all(),
  ]);
  const [first] = runs;
  const input = first && !first.blob_storage_used ? first.input : null;
  return {
    taskId: id,
    collaborationId: task.collaboration.id,
    studyId: task.study?.id,
    name: task.name,
    description: task.description,
    image: task.image,
    organizationIds: runs.map(({ organization }) => organization.id),
    databases: task.databases.map(({ label }) => label),
    call: input === null ? undefined : callOf(input),
  };
}

/** An input that is not encrypted is base64 of JSON. */
function callOf(input: string): z.infer<typeof call> | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytesOfBase64(input));
    return call.parse(parsePythonJson(text).value);
  } catch {
    return undefined;
  }
}
