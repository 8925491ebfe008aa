/**
 * The parts of the API's description, asked of the services and kept: what they are changes only
 * when they are started anew.
 * @module
 */
import { HUB_SERVICES, type HubService } from "../../../shared/broker/subjects.ts";
import { type ApiPart, apiPart } from "../../../shared/contract/openapi.ts";

export interface DescribeServicesOptions {
  /** Asks a service for its part; throws when it does not answer. */
  describe: (service: HubService) => Promise<unknown>;
  /** Milliseconds. */
  now?: () => number;
  /** How long an answer is good for. */
  keepMs?: number;
}

const KEEP_MS = 5 * 60_000;

/** The parts of all services. Nothing is kept of a time when one of them did not answer. */
export function createDescribeServices(
  { describe, now = Date.now, keepMs = KEEP_MS }: DescribeServicesOptions,
): () => Promise<ApiPart[]> {
  let kept: { parts: Promise<ApiPart[]>; until: number } | undefined;
  return function describeServices() {
    if (kept && now() < kept.until) return kept.parts;
    const parts = Promise.all(
      HUB_SERVICES.map(async (service) => apiPart.parse(await describe(service))),
    );
    const asked = { parts, until: now() + keepMs };
    kept = asked;
    parts.catch(() => {
      if (kept === asked) kept = undefined;
    });
    return parts;
  };
}
