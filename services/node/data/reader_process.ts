/**
 * The process that reads one database: takes a {@linkcode ReadJob} as a line of JSON on its
 * standard input and answers with one line of JSON, `{description}` or `{error}`.
 *
 * It ends with its input, for that ends when the process does that asked: what is read for nobody
 * would stay on the disk.
 * @module
 */
import { holdFolder } from "../record/held_folder.ts";
import { readLines } from "../sandbox/read_lines.ts";
import { DataError } from "./error.ts";
import { readDatabase } from "./reader.ts";
import type { ReadJob } from "./types.ts";

const input = readLines();
const { value } = await input.next();
if (value === undefined) Deno.exit(1);
const job = value as ReadJob;
// So that nobody removes the folder before this process has ended.
if (!await holdFolder(job.scratch)) Deno.exit(1);
void input.next().then(() => Deno.exit(1));
try {
  console.log(JSON.stringify({ description: await readDatabase(job) }));
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  console.log(JSON.stringify({ error: error.message }));
}
Deno.exit(0);
