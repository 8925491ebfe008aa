/**
 * The run context: a file that tells a program in any language what to run, on what, and where to
 * put the result (v6's experimental `run_context_file`).
 * @module
 */
import { writePythonJson } from "../../../shared/payload/python_json.ts";
import type { ContainerDatabase } from "./environment.ts";

/** What of a run stands in its context beside what its container is told anyway. */
export interface RunContext {
  nodeId: number;
  taskId: number;
  collaborationId: number;
  method: string;
  args: readonly unknown[];
  kwargs: Readonly<Record<string, unknown>>;
}

export interface RunContextOptions {
  run: RunContext & { resultId: number };
  /** The folder with `output` and `token`, as the container sees it. */
  folder: string;
  temporaryFolder: string;
  proxy: { host: string; port: number };
  /** Those that the task asks for; each of them a file. */
  databases: readonly ContainerDatabase[];
}

/** The file's text. */
export function writeRunContext(
  { run, folder, temporaryFolder, proxy, databases }: RunContextOptions,
): string {
  return writePythonJson({
    schema_version: "0.1",
    entrypoint: { name: run.method },
    arguments: { positional: run.args, named: run.kwargs },
    executor: { id: run.nodeId, kind: "vantage6-node" },
    inputs: databases.map(({ label, uri, type, request }) => {
      const { label: _, ...rest } = request;
      return { id: label, uri, type, arguments: rest };
    }),
    outputs: [{ id: "result", uri: `${folder}/output` }],
    "x-vantage6": {
      run_id: run.resultId,
      task_id: run.taskId,
      collaboration_id: run.collaborationId,
      token_file: `${folder}/token`,
      api_proxy: { host: proxy.host, port: String(proxy.port), api_path: "" },
      temporary_directory: temporaryFolder,
    },
  });
}
