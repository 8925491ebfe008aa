/**
 * Puts the hub's services together, in a process of its own: the compiler's memory goes with it.
 * Prints the folder with the programs.
 *
 *     deno run -A services/stack/programs/main.ts FOLDER
 *
 * @module
 */
import { keepPrograms } from "./kept.ts";

const [parent, ...rest] = Deno.args;
if (parent === undefined || rest.length > 0) {
  console.error("Usage: deno run -A services/stack/programs/main.ts FOLDER");
  Deno.exit(2);
}
console.log(await keepPrograms(parent));
