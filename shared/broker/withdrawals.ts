/**
 * Withdrawing credentials of nodes: the list of revocations in the account's claims.
 *
 * The broker knows a user by the public key alone, so each key of a node is an entry; however many
 * there are, the list is changed once. nats-server takes no claims above one megabyte,
 * and nobody can be shut out any more once the list is larger: so it has a limit, and what is over
 * leaves it.
 * @module
 */
import { z } from "zod";
import { SextantError } from "../service/errors.ts";
import { parseJwtSegment } from "../node_protocol/credential.ts";
import type { BrokerConnection } from "./connection.ts";
import { appAccount, encodeAppAccount, type Trust } from "./trust.ts";

/** Public user key → unix time in seconds; credentials for it issued until then are refused. */
export type Withdrawals = ReadonlyMap<string, number>;

/**
 * Entries that the list may have. One has 93 bytes in the signed claims, of which nats-server takes
 * 1,048,576.
 */
export const MOST_WITHDRAWN = 11_000;
/** Seconds that the credential of a node may be good for at most. */
export const LONGEST_NODE_CREDENTIAL = 86_400;

export interface WithdrawalChange {
  /** These entries have to be in the list. */
  add: Withdrawals;
  /** All credentials for these keys have ended: their entries leave the list. */
  over?: ReadonlySet<string>;
}

const accountClaims = z.object({
  nats: z.object({
    revocations: z.record(z.string(), z.number()).nullish(),
    /** With the rights that each of them gives. */
    signing_keys: z.unknown(),
  }),
});
type AccountClaims = z.infer<typeof accountClaims>;
const updateAnswer = z.object({
  data: z.object({ code: z.number() }).optional(),
  error: z.object({ description: z.string() }).optional(),
});

let last: Promise<unknown> = Promise.resolve();

/**
 * Withdraws credentials: their connections are closed at once, and no credential for these keys
 * that was issued until the given moments is accepted any more, after a restart of the server
 * either. `system` is identity's connection to the system account. A credential that is issued
 * later lets a node in again.
 *
 * The list is read, changed and written back, once, and only when that changes it, or when the
 * account is from a version that gave nodes other rights: their connections are closed then, and
 * come back with those of today. Calls in one process take turns; processes have to, too.
 */
export function changeWithdrawals(
  system: BrokerConnection,
  trust: Trust,
  change: WithdrawalChange,
): Promise<void> {
  const turn = last.then(() => changeList(system, trust, change));
  last = turn.catch(() => {});
  return turn;
}

async function changeList(
  system: BrokerConnection,
  trust: Trust,
  change: WithdrawalChange,
): Promise<void> {
  const account = appAccount(trust);
  const found = await system.request(`$SYS.REQ.ACCOUNT.${account}.CLAIMS.LOOKUP`);
  const current = claimsOf(found.string());
  const before = new Map(Object.entries(current.nats.revocations ?? {}));
  const after = changed(before, change, Math.floor(Date.now() / 1000));
  const jwt = await encodeAppAccount(trust, Object.fromEntries(after));
  const rights = (claims: AccountClaims) => JSON.stringify(claims.nats.signing_keys);
  if (isSame(before, after) && rights(current) === rights(claimsOf(jwt))) return;
  const answer = updateAnswer.parse((await system.request("$SYS.REQ.CLAIMS.UPDATE", jwt)).json());
  if (!answer.error) return;
  throw new SextantError(
    "unavailable",
    `Cannot withdraw credentials of nodes: ${answer.error.description}`,
  );
}

function claimsOf(jwt: string): AccountClaims {
  return accountClaims.parse(parseJwtSegment(jwt.split(".")[1] ?? ""));
}

/**
 * The list after a change. What is older than the longest credential leaves it unasked: whoever
 * put it there may have lost the memory of it. An entry is never put back to an earlier moment.
 */
export function changed(
  before: Withdrawals,
  { add, over = new Set() }: WithdrawalChange,
  now: number,
): Map<string, number> {
  const after = new Map(
    [...before].filter(([key, at]) => !over.has(key) && at > now - LONGEST_NODE_CREDENTIAL),
  );
  for (const [key, at] of add) after.set(key, Math.max(at, after.get(key) ?? 0));
  return after;
}

function isSame(one: Withdrawals, other: Withdrawals): boolean {
  return one.size === other.size && [...one].every(([key, at]) => other.get(key) === at);
}
