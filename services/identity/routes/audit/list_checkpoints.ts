import type { Hono } from "hono";
import { allow } from "../../../../shared/contract/allow.ts";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { auditCheckpoints } from "../../../../shared/contract/audit.ts";
import type { IdentityDeps } from "../../deps.ts";

/** Beyond v6's API. */
export function listAuditCheckpoints(app: Hono<AppEnv>, { ask }: IdentityDeps): void {
  app.get(
    "/audit/checkpoints",
    allow(["user", "node"]),
    answers(auditCheckpoints, {
      does:
        "What the Merkle tree over each service's audit record is now: a checkpoint in C2SP's " +
        "format (c2sp.org/tlog-checkpoint), signed with the key that signs dispatches.",
    }),
    async function listAuditCheckpoints(c) {
      const { checkpoints } = await ask("task", "checkpoints", {});
      return c.json({ data: checkpoints });
    },
  );
}
