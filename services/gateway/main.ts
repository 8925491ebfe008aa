/**
 * Runs the gateway as a process: reads its configuration, and starts it.
 * @module
 */
import { z } from "zod";
import { envBoolean, envInteger, envUrls, readConfig } from "../../shared/service/config.ts";
import { runService } from "../../shared/service/run_service.ts";
import { openTracer, readTraceSettings } from "../../shared/tracing/open_tracer.ts";
import { readScrapeToken } from "./metrics/scraper.ts";
import { startGateway } from "./start.ts";

const MEBIBYTE = 2 ** 20;

await runService("gateway", async (life) => {
  const config = readConfig({
    SEXTANT_NATS_URL: envUrls,
    SEXTANT_ENROLMENT: z.string().min(1),
    SEXTANT_LISTEN: z.string().refine(isAddress, "must be host:port").default("127.0.0.1:7601"),
    SEXTANT_CORS_ORIGINS: z.string().default("*").transform((list) => list.split(",")),
    SEXTANT_MAX_BODY_MIB: envInteger.pipe(z.number().min(1)).default(64),
    SEXTANT_MAX_BLOB_MIB: envInteger.pipe(z.number().min(1)).default(4096),
    /** Failed log-ins of one caller in the long run; an address may have five times as many. */
    SEXTANT_ATTEMPTS_PER_MINUTE: envInteger.pipe(z.number().min(1)).default(60),
    /** Where the page for people was set up. */
    SEXTANT_PAGE_FOLDER: z.string().min(1).optional(),
    /** A file with the token of Prometheus. */
    SEXTANT_METRICS_TOKEN_FILE: z.string().min(1).optional(),
    /** Whether a proxy in front tells the client's address in X-Forwarded-For. */
    SEXTANT_TRUST_PROXY: envBoolean.default(false),
  });
  const colon = config.SEXTANT_LISTEN.lastIndexOf(":");
  await startGateway(life, {
    tracer: await openTracer(life, "gateway", readTraceSettings()),
    natsUrl: config.SEXTANT_NATS_URL,
    enrolmentFile: config.SEXTANT_ENROLMENT,
    listen: {
      hostname: config.SEXTANT_LISTEN.slice(0, colon),
      port: Number(config.SEXTANT_LISTEN.slice(colon + 1)),
    },
    corsOrigins: config.SEXTANT_CORS_ORIGINS,
    maxBody: config.SEXTANT_MAX_BODY_MIB * MEBIBYTE,
    maxBlob: config.SEXTANT_MAX_BLOB_MIB * MEBIBYTE,
    attemptsPerMinute: config.SEXTANT_ATTEMPTS_PER_MINUTE,
    trustProxy: config.SEXTANT_TRUST_PROXY,
    pageFolder: config.SEXTANT_PAGE_FOLDER,
    metricsToken: config.SEXTANT_METRICS_TOKEN_FILE &&
      await readScrapeToken(config.SEXTANT_METRICS_TOKEN_FILE),
  });
});

function isAddress(text: string): boolean {
  const port = /^.+:(\d{1,5})$/.exec(text)?.[1];
  return port !== undefined && Number(port) <= 65_535;
}
