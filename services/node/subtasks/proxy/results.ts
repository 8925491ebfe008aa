/**
 * Results of subtasks as a container reads them: decrypted, and in base64.
 * @module
 */
import { Hono } from "hono";
import { z } from "zod";
import { messageOf } from "../../../../shared/service/errors.ts";
import type { Logger } from "../../../../shared/service/log.ts";
import type { WantedResult } from "../../../../shared/payload/label.ts";
import type { Correspondence } from "../correspondence.ts";
import type { PayloadCodec } from "../payload_codec.ts";
import { MOST_MIB, type ReadStored, type Subtasks } from "../subtasks.ts";
import type { Attributions } from "./attributions.ts";
import { getList, hubPathOf, LIST_MS } from "./questions.ts";
import { type ProxyEnv, withinBounds } from "./turns.ts";

/** What an algorithm hears of results that are too large. */
export const TOO_LARGE =
  `The results are larger than the ${MOST_MIB} MiB that an algorithm gets in one ` +
  "answer. Where the hub offers blobs, vantage6-algorithm-tools from 4.13 on fetch them as such.";

const resultSchema = z.looseObject({
  id: z.int().optional(),
  task: z.looseObject({ id: z.int() }).optional().catch(undefined),
  result: z.string().nullish(),
  blob_storage_used: z.boolean().default(false),
});
type Result = z.infer<typeof resultSchema>;

export interface ResultRoutesOptions {
  subtasks: Subtasks;
  codec: Pick<PayloadCodec, "decode">;
  /** Whether the algorithm knows blobs, and so gets their ids. */
  areBlobsKnown: () => Promise<boolean>;
  correspondence: Pick<Correspondence, "answered">;
  attributions: Pick<Attributions, "of">;
  log: Logger;
}

export function createResultRoutes(
  { subtasks, codec, areBlobsKnown, correspondence, attributions, log }: ResultRoutesOptions,
): Hono<ProxyEnv> {
  const routes = new Hono<ProxyEnv>();

  function wantedBy({ id, task }: Result, taskId = task?.id): WantedResult {
    const organizationId = id === undefined ? undefined : attributions.of(id);
    return { taskId, resultId: id, organizationId };
  }

  /** As the algorithm gets it. One that cannot be read stays as it is, as v6's proxy has it. */
  async function decoded(
    result: Result,
    wanted: WantedResult,
    readStored: ReadStored,
  ): Promise<Result> {
    if (result.result && result.blob_storage_used && await areBlobsKnown()) {
      await correspondence.answered(result.result, wanted);
      return result;
    }
    const stored = await readStored(result);
    const text = stored === null
      ? result.result
      : await codec.decode(stored, wanted).catch((error) => {
        log.warn("A result of a subtask cannot be decrypted", { reason: messageOf(error) });
        return result.result;
      });
    return { ...result, result: text, blob_storage_used: false };
  }

  routes.get("/result", async function results(c) {
    if (!c.req.query("task_id")) return c.json({ msg: "task_id is missing." }, 400);
    const taskId = Number(c.req.query("task_id"));
    return await withinBounds(c, async (maxBytes) => {
      const { data, ...rest } = await getList(subtasks, c.req.url, maxBytes);
      const readStored = subtasks.openReader(maxBytes);
      const all: Result[] = [];
      for (const result of z.array(resultSchema).parse(data)) {
        all.push(await decoded(result, wantedBy(result, taskId), readStored));
      }
      return c.json({ ...rest, data: all });
    });
  });

  routes.get("/result/:id{[0-9]+}", async function result(c) {
    const path = hubPathOf(c.req.url);
    return await withinBounds(c, async (maxBytes) => {
      const result = await subtasks.get(path, resultSchema, { timeoutMs: LIST_MS, maxBytes });
      const wanted = wantedBy({ ...result, id: Number(c.req.param("id")) });
      return c.json(await decoded(result, wanted, subtasks.openReader(maxBytes)));
    });
  });

  return routes;
}
