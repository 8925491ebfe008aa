/**
 * Files of typed columns for tests, each text read once: in this process, since a process for each
 * table, as a node has it, takes longer than the analyses of small tables do.
 * @module
 */
import { DEFAULT_READ } from "../../services/node/data/options.ts";
import { readDatabase } from "../../services/node/data/reader.ts";

const known = new Map<string, Promise<string>>();
let folder: string | undefined;

/** The path of the columns of a CSV file with this text. They go with the tests of this file. */
export function columnsOf(text: string): Promise<string> {
  const found = known.get(text) ?? read(text);
  known.set(text, found);
  return found;
}

async function read(text: string): Promise<string> {
  if (folder === undefined) {
    const made = folder = Deno.makeTempDirSync({ prefix: "sextant-columns-" });
    addEventListener("unload", () => Deno.removeSync(made, { recursive: true }));
  }
  const scratch = Deno.makeTempDirSync({ dir: folder });
  const path = `${scratch}.csv`;
  const target = `${scratch}.columns`;
  await Deno.writeTextFile(path, text);
  await readDatabase({
    type: "csv",
    path,
    options: DEFAULT_READ,
    request: { steps: [] },
    target,
    scratch,
    namesMayLeave: true,
    memoryMiB: 256,
    timeoutSeconds: 600,
  });
  return target;
}
