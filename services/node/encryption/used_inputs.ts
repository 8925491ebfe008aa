/**
 * The signed inputs that this node has computed on: the same one once more, under another result,
 * is an old input that somebody wants computed again. What is too old to be taken is forgotten.
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { createTurns } from "../../../shared/service/turns.ts";
import { syncFolder, writeSynced } from "../record/data_folder.ts";
import { GREATEST_AGE_DAYS } from "../../../shared/payload/label.ts";

/** The file in the node's data folder: a line for each input. */
export const USED_INPUTS_FILE = "used_inputs";
/** With a day for clocks that differ at each end. */
const KEPT_MS = (GREATEST_AGE_DAYS + 2) * 86_400_000;

export interface UsedInputs {
  /**
   * Before an input is computed on for a result: gives the result that it was computed on for
   * before, if that is another one. Resolves once it is on the disk.
   */
  take(payloadId: string, resultId: number): Promise<number | undefined>;
}

const lineSchema = z.tuple([z.string(), z.int(), z.number()]);

/** Reads what was taken before. Throws when the file is there and cannot be read. */
export async function openUsedInputs(folder: string, now = Date.now): Promise<UsedInputs> {
  const path = join(folder, USED_INPUTS_FILE);
  const used = new Map<string, number>();
  const kept: string[] = [];
  for (const line of await readLines(path)) {
    const [id, resultId, at] = line;
    if (at < now() - KEPT_MS) continue;
    used.set(id, resultId);
    kept.push(`${JSON.stringify(line)}\n`);
  }
  {
    using fresh = await Deno.open(`${path}.new`, {
      write: true,
      create: true,
      truncate: true,
      mode: 0o600,
    });
    await writeSynced(fresh, kept.join(""));
  }
  await Deno.rename(`${path}.new`, path);
  await syncFolder(folder);
  const inTurn = createTurns(1);

  return {
    take: (payloadId, resultId) =>
      inTurn(async () => {
        const before = used.get(payloadId);
        if (before !== undefined) return before === resultId ? undefined : before;
        using file = await Deno.open(path, { append: true });
        await writeSynced(file, `${JSON.stringify([payloadId, resultId, now()])}\n`);
        used.set(payloadId, resultId);
      }),
  };
}

async function readLines(path: string): Promise<z.infer<typeof lineSchema>[]> {
  const text = await Deno.readTextFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  const lines = text.split("\n");
  // A line without an end was torn by a crash, before anything was computed.
  lines.pop();
  return lines.map((line) => lineSchema.parse(JSON.parse(line)));
}
