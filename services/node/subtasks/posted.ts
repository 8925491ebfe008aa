/**
 * The subtasks that a run makes, each of them once.
 *
 * A client that lost the answer asks again, which must not make another subtask; an algorithm that wants the same
 * subtask once more must get another one. The difference: whether the answer to the earlier request arrived. And an
 * agent that takes the run up again must send the hub what the earlier one sent, to the byte, though encrypting the same
 * again gives something else.
 * @module
 */
import { z } from "zod";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { HubError } from "../hub/error.ts";

export const createdSchema = z.looseObject({ id: z.number().int() });
/** A subtask as the hub answers. */
export type Created = z.infer<typeof createdSchema>;

/** One subtask by the text with which a run asked for it, and what the hub knows it by. */
export interface PostedKey {
  digest: string;
  key: string;
}

type Body = Record<string, unknown>;

/** What is remembered of a subtask until its answer has arrived: what was sent to the hub, then what that answered. */
const memorySchema = z.union([
  z.strictObject({ answer: createdSchema }),
  z.strictObject({ body: z.record(z.string(), z.unknown()) }),
]);

export interface Posted {
  /** Names the next subtask with this text; the same until {@linkcode Posted.delivered} is called. */
  key(text: string): Promise<PostedKey>;
  /** Makes a subtask: sends what `encode` makes, or what was sent for this key before. */
  make(
    key: string,
    how: { encode: () => Promise<Body>; send: (body: Body) => Promise<Created> },
  ): Promise<Created>;
  /** The answer has arrived. */
  delivered(posted: PostedKey): Promise<void>;
}

/** Remembers in the file `path` and in some beside it, so that the run can outlive the agent. */
export async function openPosted(path: string, runName: string): Promise<Posted> {
  const counts = new Map<string, number>();
  const text = await Deno.readTextFile(path).catch(() => "");
  for (const digest of text.split("\n")) {
    if (digest) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  return {
    async key(text) {
      const digest = (await sha256Hex(text)).slice(0, 32);
      return { digest, key: `${runName}-${digest}-${(counts.get(digest) ?? 0) + 1}` };
    },
    async make(key, { encode, send }) {
      const file = `${path}-${key}`;
      const known = await recall(file);
      if (known && "answer" in known) return known.answer;
      const body = known?.body ?? await encode();
      if (!known) await remember(file, { body });
      try {
        const answer = await send(body);
        // Without it the hub is asked again, and says the same.
        await remember(file, { answer }).catch(() => {});
        return answer;
      } catch (error) {
        if (error instanceof HubError && !error.retryable) await Deno.remove(file).catch(() => {});
        throw error;
      }
    },
    async delivered({ digest, key }) {
      counts.set(digest, (counts.get(digest) ?? 0) + 1);
      // A run whose folder has gone needs no memory.
      await Deno.writeTextFile(path, `${digest}\n`, { append: true }).catch(() => {});
      await Deno.remove(`${path}-${key}`).catch(() => {});
    },
  };
}

async function recall(file: string): Promise<z.infer<typeof memorySchema> | undefined> {
  try {
    return memorySchema.parse(JSON.parse(await Deno.readTextFile(file)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw new Error(`Cannot read ${file}, which says what was sent to the hub`, { cause: error });
  }
}

/** All of it or nothing: the agent may die in the middle. */
async function remember(file: string, what: z.infer<typeof memorySchema>): Promise<void> {
  await Deno.writeTextFile(`${file}.new`, JSON.stringify(what), { mode: 0o600 });
  await Deno.rename(`${file}.new`, file);
}
