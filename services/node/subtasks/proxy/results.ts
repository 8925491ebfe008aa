/**
 * Results of subtasks as a container reads them: decrypted, and in base64.
 * @module
 */
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { messageOf } from "../../../../shared/service/errors.ts";
import type { Logger } from "../../../../shared/service/log.ts";
import { TooLargeError } from "../../payload/pieces.ts";
import type { PayloadCodec } from "../payload_codec.ts";
import { MOST_MIB, type ReadStored, type Subtasks } from "../subtasks.ts";
import { getList, hubPathOf, LIST_MS } from "./questions.ts";
import type { ProxyContext } from "./turns.ts";

const resultSchema = z.looseObject({
  result: z.string().nullish(),
  blob_storage_used: z.boolean().default(false),
});
type Result = z.infer<typeof resultSchema>;

export interface ResultRoutesOptions {
  subtasks: Subtasks;
  codec: Pick<PayloadCodec, "decode">;
  /** Whether the algorithm knows blobs, and so gets their ids. */
  areBlobsKnown: () => Promise<boolean>;
  log: Logger;
}

export function createResultRoutes(
  { subtasks, codec, areBlobsKnown, log }: ResultRoutesOptions,
): Hono<{ Bindings: ProxyContext }> {
  const routes = new Hono<{ Bindings: ProxyContext }>();

  async function decoded(result: Result, readStored: ReadStored): Promise<Result> {
    if (result.result && result.blob_storage_used && await areBlobsKnown()) return result;
    const stored = await readStored(result).catch(refuseTooLarge);
    const text = stored === null ? result.result : await codec.decode(stored).catch((error) => {
      log.warn("A result of a subtask cannot be decrypted", { reason: messageOf(error) });
      return result.result;
    });
    return { ...result, result: text, blob_storage_used: false };
  }

  routes.get("/result", async function results(c) {
    if (!c.req.query("task_id")) return c.json({ msg: "task_id is missing." }, 400);
    const { data, ...rest } = await getList(subtasks, c.req.url);
    const readStored = subtasks.openReader();
    const all: Result[] = [];
    for (const result of z.array(resultSchema).parse(data)) {
      all.push(await decoded(result, readStored));
    }
    return c.json({ ...rest, data: all });
  });

  routes.get("/result/:id{[0-9]+}", async function result(c) {
    const path = hubPathOf(c.req.url);
    const result = await subtasks.get(path, resultSchema, { timeoutMs: LIST_MS });
    return c.json(await decoded(result, subtasks.openReader()));
  });

  return routes;
}

function refuseTooLarge(error: unknown): never {
  if (!(error instanceof TooLargeError)) throw error;
  throw new HTTPException(422, {
    message: `The results are larger than the ${MOST_MIB} MiB that an algorithm gets in one ` +
      "answer. Where the hub offers blobs, vantage6-algorithm-tools from 4.13 on fetch them as such.",
  });
}
