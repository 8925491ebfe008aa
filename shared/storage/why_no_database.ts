/**
 * Why a database cannot be had, as one line for its operator: what failed, and what to do.
 * @module
 */
import { messageOf } from "../service/errors.ts";

export interface WhyNoDatabase {
  /** What the system or PostgreSQL says. */
  reason: string;
  /** What an operator can do, where that is known. */
  advice?: string;
  /** Whether waiting cannot help: this process itself has to be started otherwise. */
  hopeless: boolean;
}

/** What an error says → what to do. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^ENOTFOUND$/, "correct the host in SEXTANT_DATABASE_URL, or the name server"],
  [/^(ECONNREFUSED|ENOENT)$/, "start PostgreSQL, or correct SEXTANT_DATABASE_URL"],
  [
    /^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/,
    "look at the network between, and at SEXTANT_DATABASE_URL",
  ],
  [
    /^(28P01|28000|3D000|42501)$/,
    "run the set-up again, which makes roles, passwords and the database (deno task up does at each " +
    "start, docker compose run --rm setup), or let the role in (pg_hba.conf of the server)",
  ],
];

export function whyNoDatabase(error: unknown): WhyNoDatabase {
  const { code, cause } = error as { code?: unknown; cause?: { name?: unknown } };
  const reason = messageOf(error);
  // Of a name Deno says no more than that it may not be looked up.
  if (cause?.name === "NotCapable" || code === "EPERM") {
    return {
      reason,
      advice:
        "start this service with the right to reach the database (--allow-net=host:port, or " +
        "--allow-read and --allow-write of its socket)",
      hopeless: true,
    };
  }
  const advice = ADVICE.find(([codes]) => typeof code === "string" && codes.test(code))?.[1];
  return { reason, ...advice === undefined ? {} : { advice }, hopeless: false };
}
