/**
 * Making a subtask once, however often it is asked for.
 * @module
 */
import { z } from "zod";
import { HubError } from "../hub/error.ts";

export const createdSchema = z.looseObject({ id: z.number().int() });
/** A subtask as the hub answers. */
export type Created = z.infer<typeof createdSchema>;

export type TaskBody = Record<string, unknown>;

/** A subtask that is being made: what was sent to the hub, then what that answered. */
export type Creation = { body: TaskBody } | { answer: Created };

/** What is remembered of subtasks that are being made, by their idempotency keys. */
export interface CreationMemory {
  recall(key: string): Promise<Creation | undefined>;
  remember(key: string, creation: Creation): Promise<void>;
  /** Never rejects. */
  forget(key: string): Promise<void>;
}

export interface CreateOnceOptions {
  /** Gives what is sent to the hub; asked unless that is remembered. */
  write: () => Promise<TaskBody>;
  /** Sends it with this idempotency key. */
  send: (body: TaskBody, key: string) => Promise<Created>;
  memory: CreationMemory;
}

/**
 * Makes the subtask that has this key, or gives the answer that is remembered. It can be made anew
 * after a refusal.
 */
export async function createOnce(
  key: string,
  { write, send, memory }: CreateOnceOptions,
): Promise<Created> {
  const known = await memory.recall(key);
  if (known && "answer" in known) return known.answer;
  const body = known?.body ?? await write();
  if (!known) await memory.remember(key, { body });
  try {
    const answer = await send(body, key);
    // Without it the hub is asked again, and says the same.
    await memory.remember(key, { answer }).catch(() => {});
    return answer;
  } catch (error) {
    if (error instanceof HubError && !error.retryable) await memory.forget(key);
    throw error;
  }
}

/** For runs that end with the agent: what is under way is known to it anyway. */
export const NO_MEMORY: CreationMemory = {
  recall: () => Promise.resolve(undefined),
  remember: () => Promise.resolve(),
  forget: () => Promise.resolve(),
};
