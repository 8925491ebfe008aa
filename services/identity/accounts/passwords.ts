/**
 * Password hashes: argon2id with the parameters OWASP names for it, computed off the event loop.
 * The bcrypt hashes that v6's servers hold verify too; the log-in replaces them.
 * @module
 */
import { createTurns } from "../../../shared/service/turns.ts";

const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** The cost of v6's hashes. */
const BCRYPT_COST = 12;

/** Each hash takes 19 MiB and a core for some 12 ms: more at once would only queue in memory. */
const bounded = createTurns(4);

/** Loaded with the first password: a hub where nobody logs in has 8 MiB less for it. */
const argon2 = () => import("@node-rs/argon2");

export function hashPassword(password: string): Promise<string> {
  return bounded(async () => (await argon2()).hash(password, PARAMETERS));
}

function isBcrypt(stored: string): boolean {
  return /^\$2[aby]\$/.test(stored);
}

/**
 * Whether `stored` should be replaced, now that the password is known: a hash of v6, or one that
 * was made when {@linkcode PARAMETERS} asked for less.
 */
export function needsUpgrade(stored: string): boolean {
  if (isBcrypt(stored)) return true;
  const [, memory, time] = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=\d+\$/.exec(stored) ?? [];
  return !(Number(memory) >= PARAMETERS.memoryCost && Number(time) >= PARAMETERS.timeCost);
}

/** Only where there are v6's hashes. */
const bcrypt = () => import("@node-rs/bcrypt");

async function verifyOne(stored: string, password: string): Promise<boolean> {
  try {
    if (!isBcrypt(stored)) return await (await argon2()).verify(stored, password);
    return await (await bcrypt()).verify(password, stored);
  } catch {
    return false;
  }
}

/** Hashes nobody knows the password of: unknown users cost the same time as known ones. */
let decoy: Promise<string> | undefined;
let bcryptDecoy: Promise<string> | undefined;

export interface VerifyPasswordOptions {
  /** Whether any user still has a bcrypt hash: then every failure does the work of both kinds. */
  bcryptInUse?: boolean;
  /** Compares a password with one hash. */
  verify?: (stored: string, password: string) => Promise<boolean>;
}

/** Whether `password` fits `stored`; `undefined` stands for a user who does not exist. */
export async function verifyPassword(
  stored: string | undefined,
  password: string,
  { bcryptInUse = false, verify = verifyOne }: VerifyPasswordOptions = {},
): Promise<boolean> {
  // Made for whoever comes first, known or not.
  const nobodys = await (decoy ??= hashPassword(crypto.randomUUID()).catch((error) => {
    decoy = undefined;
    throw error;
  }));
  const against = stored ?? nobodys;
  if (await bounded(() => verify(against, password))) return stored !== undefined;
  if (bcryptInUse) {
    bcryptDecoy ??= bcrypt().then(({ hash }) => hash(crypto.randomUUID(), BCRYPT_COST));
    const other = isBcrypt(against) ? nobodys : await bcryptDecoy;
    await bounded(() => verify(other, password));
  }
  return false;
}
