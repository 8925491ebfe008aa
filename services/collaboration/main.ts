/**
 * Runs collaboration as a process: reads its configuration, and starts it.
 * @module
 */
import { z } from "zod";
import { envUrls, readConfig } from "../../shared/service/config.ts";
import { runService } from "../../shared/service/run_service.ts";
import { openTracer, readTraceSettings } from "../../shared/tracing/open_tracer.ts";
import { startCollaboration } from "./start.ts";

await runService("collaboration", async (life) => {
  const config = readConfig({
    SEXTANT_DATABASE_URL: z.string().min(1),
    SEXTANT_NATS_URL: envUrls,
    SEXTANT_ENROLMENT: z.string().min(1),
    /** This server's address, as algorithm stores are to know it. */
    SEXTANT_SERVER_URL: z.url().optional(),
  });
  await startCollaboration(life, {
    tracer: await openTracer(life, "collaboration", readTraceSettings()),
    databaseUrl: config.SEXTANT_DATABASE_URL,
    natsUrl: config.SEXTANT_NATS_URL,
    enrolmentFile: config.SEXTANT_ENROLMENT,
    serverUrl: config.SEXTANT_SERVER_URL,
  });
});
