/**
 * The process that reads one database: takes a {@linkcode ReadJob} as JSON on its standard input
 * and answers with one line of JSON, `{description}` or `{error}`.
 * @module
 */
import { DataError } from "./error.ts";
import { readDatabase } from "./reader.ts";

const job = JSON.parse(await new Response(Deno.stdin.readable).text());
try {
  console.log(JSON.stringify({ description: await readDatabase(job) }));
} catch (error) {
  if (!(error instanceof DataError)) throw error;
  console.log(JSON.stringify({ error: error.message }));
}
