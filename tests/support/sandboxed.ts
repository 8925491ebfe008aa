/**
 * A sandbox for tests, and runs in it from the text of an algorithm.
 * @module
 */
import { writePieces } from "../../services/node/payload/pieces.ts";
import { DEFAULT_READ } from "../../services/node/data/options.ts";
import { createTables } from "../../services/node/data/tables.ts";
import type { Outcome, RunHandle } from "../../services/node/run/runtime.ts";
import type { SandboxDatabase } from "../../services/node/data/databases.ts";
import type { RunSpec } from "../../services/node/sandbox/run_spec.ts";
import {
  createSandbox,
  type Sandbox,
  type SandboxOptions,
} from "../../services/node/sandbox/sandbox.ts";
import { silentLogger } from "../../shared/service/log.ts";
import { temporaryFolder } from "../harness.ts";

/** A file that the test has written, or columns that it has made. */
export interface TestDatabase {
  label: string;
  type: "csv" | "columns";
  path: string;
}

export interface RunOptions extends Partial<Omit<RunSpec, "limits" | "input" | "databases">> {
  databases?: TestDatabase[];
  method?: string;
  args?: unknown[];
  kwargs?: Record<string, unknown>;
  /** The text of a file with the call, instead of method, args and kwargs. */
  inputText?: string;
  /** The text of the call itself, instead of method, args and kwargs. */
  callText?: string;
  limits?: Partial<RunSpec["limits"]>;
}

export interface SandboxOfTest {
  sandbox: Sandbox;
  /** Holds what the test makes; every user can get at it. */
  folder: string;
  start(source: string, options?: RunOptions): Promise<RunHandle>;
  /** Starts a run and waits for its end; `value` is its result, read as JSON. */
  run(source: string, options?: RunOptions): Promise<Outcome & { value: unknown }>;
}

const NO_SUBTASKS: RunSpec["client"] = {
  organizations: () => Promise.resolve([]),
  createTask: () => Promise.reject(new Error("no subtasks here")),
  results: () => Promise.reject(new Error("no subtasks here")),
};

export async function withSandbox(
  use: (given: SandboxOfTest) => Promise<void>,
  options: Partial<SandboxOptions> = {},
): Promise<void> {
  const { path: folder, remove } = await temporaryFolder();
  const sandbox = await createSandbox({ folder, log: silentLogger, ...options });
  const tables = createTables({ folder: `${folder}/tables`, namesMayLeave: true });
  let runs = 0;

  async function ready({ label, type, path }: TestDatabase): Promise<SandboxDatabase> {
    if (type === "columns") return { label, type, path };
    const source = { type, path, options: DEFAULT_READ };
    return { label, type: "columns", path: await tables.read(source, { steps: [] }) };
  }

  async function start(
    source: string,
    {
      method = "main",
      args = [],
      kwargs = {},
      inputText,
      callText,
      limits,
      databases = [],
      ...rest
    }: RunOptions = {},
  ) {
    const name = `run-${++runs}`;
    const path = `${folder}/${name}.ts`;
    await Deno.writeTextFile(path, source);
    return await sandbox.start({
      name,
      algorithm: { name: "algorithm.ts", path },
      input: callText !== undefined
        ? { method, json: new TextEncoder().encode(callText) }
        : inputText === undefined
        ? { method, args, kwargs }
        : await writePieces(`${folder}/${name}.json`, [new TextEncoder().encode(inputText)]),
      databases: await Promise.all(databases.map(ready)),
      place: {
        organization: { id: 3, name: "Alpha" },
        node: { id: 7, name: "alpha" },
        task: { id: 5, runId: 1 },
        settings: {},
        disclosure: null,
      },
      limits: { timeoutSeconds: 30, memoryMiB: 2048, outputMiB: 8, ...limits },
      onLog: () => {},
      client: NO_SUBTASKS,
      ...rest,
    });
  }

  try {
    await use({
      sandbox,
      folder,
      start,
      async run(source, options) {
        const outcome = await (await start(source, options)).done;
        const text = outcome.result && await Deno.readTextFile(outcome.result.path);
        await outcome.release?.();
        return { ...outcome, value: text && JSON.parse(text) };
      },
    });
  } finally {
    await sandbox.close();
    await remove();
  }
}
