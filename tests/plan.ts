/**
 * In which order the test files run, and which share a process.
 * @module
 */
import { join } from "node:path";

/** Files that one process runs, one after the other. */
export interface Batch {
  /** The file, or what they have in common. */
  name: string;
  files: string[];
}

export interface Plan {
  /** These may run side by side, and begin in this order. */
  beside: Batch[];
  /** These run one after the other, when nothing else does. */
  alone: Batch[];
}

/**
 * Files that take longest, the longest first, by the ends of their paths: begun last they would
 * keep the others waiting at the end. The slowest of a run are printed at its end; this list only
 * has to be roughly right.
 */
const LONGEST = [
  "tests/compose_test.ts",
  "tests/cluster_test.ts",
  "tests/fuzz_test.ts",
  "tests/page/every_screen_test.ts",
  "tests/containers_test.ts",
  "tests/blob_algorithm_test.ts",
  "tests/large_payload_test.ts",
  "tests/main_job_test.ts",
  "container_crash_test.ts",
  "tests/disclosure/library_test.ts",
  "tests/disclosure/steps_test.ts",
  "container/hostile_test.ts",
  "tests/faults_test.ts",
  "tests/backup_test.ts",
  "tests/python_algorithm_test.ts",
  "rows_test.ts",
  "tests/encryption_test.ts",
  "tests/page/administration_rights_test.ts",
  "tests/page/owner_test.ts",
  "tests/page/administration_test.ts",
  "tests/page/keyboard_test.ts",
  "tests/page/large_and_nested_test.ts",
  "tests/page/log_in_test.ts",
  "tests/shell_test.ts",
  "shell/main_test.ts",
  "container/rootless_test.ts",
  "tests/live_test.ts",
  "presence/watch_test.ts",
  "tests/client_command_line_test.ts",
  "tests/client_test.ts",
  "tests/up_test.ts",
  "tests/versions_test.ts",
  "tests/stack_test.ts",
  "tests/algorithms_offered_test.ts",
  "tests/one_agent_test.ts",
  "tests/replicas_test.ts",
  "shared/storage/connections_test.ts",
  "node/commands_test.ts",
  "routes/accounts_test.ts",
  "routes/audit_test.ts",
  "agent_test.ts",
  "identity/sessions/sessions_test.ts",
];

/** Files that measure time so closely that nothing may run beside them. */
const ALONE = ["login_time_test.ts"];

/** What a file says that starts servers or processes: it imports what does so for tests. */
const STARTS_SOMETHING = /from "(\.\.?\/)+(tests\/)?(harness|site|support\/\w+)\.ts"|Deno\.Command/;

/** All test files below a folder of `root`, as paths from there, sorted. */
export function testFiles(root: string, folder: string): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(join(root, folder))) {
    const path = join(folder, name);
    if (isDirectory && name !== "node_modules") found.push(...testFiles(root, path));
    else if (name.endsWith("_test.ts")) found.push(path);
  }
  return found.sort();
}

/**
 * A process for each file that starts something, the longest first, then whole systems, then the
 * rest. Files that only compute share one process, since to start one takes longer than what each
 * does; all together they are the longest.
 */
export function planBatches(files: string[], textOf: (file: string) => string): Plan {
  const alone = files.filter((file) => ALONE.some((end) => endsWith(file, end)));
  const others = files.filter((file) => !alone.includes(file));
  const starting = others.filter((file) => startsSomething(file, textOf));
  const computing = others.filter((file) => !starting.includes(file));
  const beside = starting.toSorted((a, b) => rank(a) - rank(b)).map(single);
  if (computing.length > 0) {
    beside.unshift({ name: `${computing.length} files that only compute`, files: computing });
  }
  return { beside, alone: alone.map(single) };
}

/** Whether a test file starts something, itself or by what it imports from the folder of tests. */
function startsSomething(file: string, textOf: (file: string) => string): boolean {
  const text = textOf(file);
  if (STARTS_SOMETHING.test(text)) return true;
  return Array.from(text.matchAll(/from "(\.[^"]+)"/g), ([, path]) => join(file, "..", path!))
    .some((imported) => imported.startsWith("tests/") && STARTS_SOMETHING.test(textOf(imported)));
}

function rank(file: string): number {
  const at = LONGEST.findIndex((end) => endsWith(file, end));
  return at >= 0 ? at : LONGEST.length + (file.startsWith("tests/") ? 0 : 1);
}

function endsWith(file: string, end: string): boolean {
  return `/${file}`.endsWith(`/${end}`);
}

function single(file: string): Batch {
  return { name: file, files: [file] };
}
