/**
 * Runs task as a process: reads its configuration, and starts it.
 * @module
 */
import { z } from "zod";
import { envBoolean, envInteger, envUrls, readConfig } from "../../shared/service/config.ts";
import { runService } from "../../shared/service/run_service.ts";
import { openTracer, readTraceSettings } from "../../shared/tracing/open_tracer.ts";
import { startTask } from "./start.ts";

await runService("task", async (life) => {
  const config = readConfig({
    SEXTANT_DATABASE_URL: z.string().min(1),
    SEXTANT_NATS_URL: envUrls,
    SEXTANT_ENROLMENT: z.string().min(1),
    /** The seed that signs what is dispatched. */
    SEXTANT_DISPATCH_KEY: z.string().regex(/^SU[A-Z2-7]{56}$/, "must be the seed of a user nkey"),
    /** Whether every input must be uploaded to /blobstream first, as v6's API has it. */
    SEXTANT_BLOB_STORE: envBoolean.default(false),
    /** Uploads that an organization may have before a task or result uses them. */
    SEXTANT_MAX_UNUSED_BLOBS_GIB: envInteger.pipe(z.number().min(1)).default(64),
    /** Subtasks that one run may make, all levels together. */
    SEXTANT_MAX_SUBTASKS: envInteger.pipe(z.number().min(1)).default(1000),
    /** Subtasks that the runs at one node may make in the long run; half of it at once. */
    SEXTANT_SUBTASKS_PER_MINUTE: envInteger.pipe(z.number().min(1)).default(300),
    SEXTANT_COLUMN_IMAGE: z.string().default("ghcr.io/vantage6/algorithm-basics"),
    /** Days after which the payloads of completed results are removed; without it they are kept. */
    SEXTANT_RUNS_DATA_CLEANUP_DAYS: envInteger.pipe(z.number().min(1)).optional(),
    SEXTANT_RUNS_DATA_CLEANUP_INCLUDE_INPUT: envBoolean.default(false),
  });
  await startTask(life, {
    tracer: await openTracer(life, "task", readTraceSettings()),
    databaseUrl: config.SEXTANT_DATABASE_URL,
    natsUrl: config.SEXTANT_NATS_URL,
    enrolmentFile: config.SEXTANT_ENROLMENT,
    dispatchKey: config.SEXTANT_DISPATCH_KEY,
    settings: {
      blobStoreEnabled: config.SEXTANT_BLOB_STORE,
      maxUnusedBytes: config.SEXTANT_MAX_UNUSED_BLOBS_GIB * 2 ** 30,
      maxSubtasks: config.SEXTANT_MAX_SUBTASKS,
      subtasksPerMinute: config.SEXTANT_SUBTASKS_PER_MINUTE,
      columnImage: config.SEXTANT_COLUMN_IMAGE,
    },
    retention: {
      days: config.SEXTANT_RUNS_DATA_CLEANUP_DAYS,
      includeInput: config.SEXTANT_RUNS_DATA_CLEANUP_INCLUDE_INPUT,
    },
  });
});
