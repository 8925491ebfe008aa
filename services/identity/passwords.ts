/**
 * Password hashes: argon2id with the parameters OWASP names for it, computed off the event loop.
 * @module
 */
import { hash, verify } from "@node-rs/argon2";

const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Each hash takes 19 MiB and a core for some 12 ms: more at once would only queue in memory. */
const AT_ONCE = 4;
let running = 0;
const waiting: (() => void)[] = [];

async function bounded<Result>(work: () => Promise<Result>): Promise<Result> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await work();
  } finally {
    // The place is handed on rather than freed, so that nobody who arrives now can overtake the queue.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

export function hashPassword(password: string): Promise<string> {
  return bounded(() => hash(password, PARAMETERS));
}

/** A hash nobody knows the password of: unknown users cost the same time as known ones. */
const decoy = hash(crypto.randomUUID(), PARAMETERS);

/** Whether `password` fits `stored`; `undefined` stands for a user who does not exist. */
export async function verifyPassword(
  stored: string | undefined,
  password: string,
): Promise<boolean> {
  const against = stored ?? await decoy;
  const fits = await bounded(() => verify(against, password).catch(() => false));
  return fits && stored !== undefined;
}
