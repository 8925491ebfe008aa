/**
 * Results into files, readable by their user alone.
 * @module
 */
import { join } from "node:path";
import { UsageError } from "../../../shared/command_line/read_args.ts";
import { isGood, type Outcome } from "../tasks/outcome.ts";
import { say } from "./print.ts";

export interface SaveOptions {
  path: string;
  nameOf: (organizationId: number) => string;
}

/** One result into the file, several into files of the folder. */
export async function saveOutcomes(
  outcomes: readonly Outcome[],
  { path, nameOf }: SaveOptions,
): Promise<void> {
  const good = outcomes.filter(isGood);
  if (outcomes.length === 1 && !await isFolder(path)) {
    if (good[0]) await save(path, new TextEncoder().encode(good[0].result!.text));
    return;
  }
  await Deno.mkdir(path, { recursive: true, mode: 0o700 }).catch((cause) => {
    throw new UsageError(`--out: the results of several organizations need a folder, not ${path}`, {
      cause,
    });
  });
  for (const { organizationId, id, result } of good) {
    const name = nameOf(organizationId).replaceAll(/[^\p{L}\p{N}]+/gu, "_").slice(0, 60);
    const end = result!.isJson ? "json" : "txt";
    await save(join(path, `${id}-${name}.${end}`), new TextEncoder().encode(result!.text));
  }
}

/** Whole or not at all. */
export async function save(
  path: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<void> {
  const draft = `${path}.part`;
  try {
    {
      using file = await Deno.open(draft, {
        write: true,
        create: true,
        truncate: true,
        mode: 0o600,
      });
      for await (const piece of content instanceof Uint8Array ? [content] : content) {
        for (let done = 0; done < piece.length;) done += await file.write(piece.subarray(done));
      }
    }
    await Deno.rename(draft, path);
  } catch (error) {
    await Deno.remove(draft).catch(() => {});
    throw error;
  }
  say(`Written: ${path}`);
}

async function isFolder(path: string): Promise<boolean> {
  return path.endsWith("/") || await Deno.stat(path).then((one) => one.isDirectory, () => false);
}
