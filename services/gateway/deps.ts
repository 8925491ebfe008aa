/**
 * What the parts of this service are given: connected once in `start.ts`, or by a test.
 * @module
 */
import type { HttpClient } from "../../shared/http_over_nats/mod.ts";
import type { Logger } from "../../shared/service/log.ts";
import type { Metric } from "../../shared/messages/metric.ts";
import type { Refusal } from "../../shared/storage/audit.ts";
import type { Tracer } from "../../shared/tracing/tracer.ts";
import type { AttemptLimits } from "./door/rate_limit.ts";
import type { Feed } from "./live/feed.ts";
import type { OwnMetrics } from "./metrics/own_metrics.ts";
import type { PageFolder } from "../page/build/page_folder.ts";
import type { Principals } from "./principals/principals.ts";

export interface GatewayDeps {
  http: HttpClient;
  principals: Principals;
  /** Asks each service whether it and its database answer, and the broker for its stream. */
  health: () => Promise<HubHealth>;
  /** For Prometheus; without it there are none. */
  metrics?: {
    own: OwnMetrics;
    ofHub: () => Promise<Metric[]>;
    /** With which they can be had without an account. */
    token?: string | undefined;
  };
  /** What keeps traces; without it there are none. */
  tracer?: Tracer;
  log: Logger;
  corsOrigins: string[];
  /** Bytes of a request body. */
  maxBody: number;
  /** Bytes of a payload that is uploaded on its own. */
  maxBlob?: number;
  /** How long a body may pause, or be behind 64 KiB a second. Milliseconds; 30 seconds. */
  bodyPatienceMs?: number;
  /** Attempts to log in, recover and the like; without it they are not limited. */
  attempts?: AttemptLimits;
  /** What the live feed reads; without it there is none. */
  feed?: Feed;
  /** The page for people; without it there is none at `/`. */
  page?: {
    folder: PageFolder;
    /** Whether the client's own connection is encrypted. */
    isSecure: (request: Request) => boolean;
  };
  /** Is told of every request that is refused here, before a service sees it. */
  refused?: (refusal: Refusal) => void;
}

export interface HubHealth {
  /** Whether every service and its database answer. */
  database: boolean;
  /** Of each service, and of `jetstream`. */
  services: Record<string, ServiceHealth>;
}

export interface ServiceHealth {
  ok: boolean;
  reason?: string;
}
