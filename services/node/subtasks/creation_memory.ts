/**
 * What an agent remembers of the subtasks that a run in a container has made, in files, so that the
 * run can outlive it.
 *
 * A client that lost the answer asks again, which must not make another subtask; an algorithm that
 * wants the same subtask once more must get another one. The difference: whether the answer to the
 * earlier request arrived. And an agent that takes the run up again must send the hub what the
 * earlier one sent, to the byte, though encrypting the same again gives something else.
 * @module
 */
import { createHmac, randomUUID } from "node:crypto";
import { z } from "zod";
import { createdSchema, type Creation, type CreationMemory } from "./create_once.ts";

const creationSchema: z.ZodType<Creation> = z.union([
  z.strictObject({ answer: createdSchema }),
  z.strictObject({ body: z.record(z.string(), z.unknown()) }),
]);

/** One subtask by the text with which a run asked for it, and what the hub knows it by. */
export interface SubtaskKey {
  digest: string;
  key: string;
}

export interface FileMemory extends CreationMemory {
  /**
   * Names the next subtask with this text; the same until {@linkcode FileMemory.delivered} is
   * called.
   */
  keyOf(text: string): Promise<SubtaskKey>;
  /** The answer has arrived: the next subtask with this text is another one. */
  delivered(key: SubtaskKey): Promise<void>;
}

/** Remembers in the file `path` and in some beside it. */
export async function openCreationMemory(path: string, runName: string): Promise<FileMemory> {
  /** How many subtasks with a text of this digest have been delivered. */
  const counts = new Map<string, number>();
  const text = await Deno.readTextFile(path).catch(() => "");
  for (const digest of text.split("\n")) {
    if (digest) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }

  function fileOf(key: string): string {
    return `${path}-${key}`;
  }

  let secret: Promise<string> | undefined;

  /**
   * What keys are made with, made when it is first needed. The hub sees the keys: without a secret
   * it could tell by them whether an input that it may not read is one that it guesses.
   */
  async function readSecret(): Promise<string> {
    const file = `${path}.secret`;
    const known = await Deno.readTextFile(file).catch(() => "");
    if (known) return known;
    const made = randomUUID();
    await Deno.writeTextFile(`${file}.new`, made, { mode: 0o600 });
    await Deno.rename(`${file}.new`, file);
    return made;
  }

  return {
    async keyOf(text) {
      const key = await (secret ??= readSecret());
      const digest = createHmac("sha256", key).update(text).digest("hex").slice(0, 32);
      return { digest, key: `${runName}-${digest}-${(counts.get(digest) ?? 0) + 1}` };
    },
    async delivered({ digest, key }) {
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
      // A run whose folder has gone needs no memory.
      await Deno.writeTextFile(path, `${digest}\n`, { append: true }).catch(() => {});
      await Deno.remove(fileOf(key)).catch(() => {});
    },
    async recall(key) {
      const file = fileOf(key);
      try {
        return creationSchema.parse(JSON.parse(await Deno.readTextFile(file)));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw new Error(`Cannot read ${file}, which says what was sent to the hub`, {
          cause: error,
        });
      }
    },
    async remember(key, creation) {
      const file = fileOf(key);
      // All of it or nothing: the agent may die in the middle.
      await Deno.writeTextFile(`${file}.new`, JSON.stringify(creation), { mode: 0o600 });
      await Deno.rename(`${file}.new`, file);
    },
    async forget(key) {
      await Deno.remove(fileOf(key)).catch(() => {});
    },
  };
}
