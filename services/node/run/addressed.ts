/**
 * Whether what the hub has signed is meant for this node, and now: a signature stays good for ever.
 * @module
 */
import type { Dispatch } from "../../../shared/node_protocol/dispatch.ts";
import type { Kill } from "../../../shared/node_protocol/kill.ts";

/**
 * Clocks may differ by so much, and a message may have waited as long. What is dropped for its age
 * and still wanted comes anew with the answer to the next question for work.
 */
const GREATEST_AGE_MS = 86_400_000;

/** Why a dispatch is not for this node now; `undefined` when it is. */
export function whyNotThisDispatch(
  { organization_id, collaboration_id, issued_at }: Dispatch,
  { organization, collaboration }: {
    organization: { id: number };
    collaboration: { id: number };
  },
  now: number,
): string | undefined {
  if (organization_id !== organization.id) {
    return `it is for organization ${organization_id}, and this node is organization ${organization.id}'s`;
  }
  if (collaboration_id !== collaboration.id) {
    return `it is of collaboration ${collaboration_id}, and this node is in ${collaboration.id}`;
  }
  return whyNotNow(issued_at, now);
}

/** Why a kill is not to be followed now; `undefined` when it is. */
export function whyNotThisKill({ issued_at }: Kill, now: number): string | undefined {
  return issued_at === undefined ? undefined : whyNotNow(issued_at, now);
}

function whyNotNow(issuedAt: string, now: number): string | undefined {
  const age = now - Date.parse(issuedAt);
  if (Math.abs(age) <= GREATEST_AGE_MS) return undefined;
  return `it was issued at ${issuedAt}, and it is ${
    new Date(now).toISOString()
  } by this machine's clock`;
}
