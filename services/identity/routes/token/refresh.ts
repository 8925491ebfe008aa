import type { Hono } from "hono";
import { answers } from "../../../../shared/contract/answers.ts";
import type { AppEnv } from "../../../../shared/contract/app.ts";
import { refreshAnswer } from "../../../../shared/contract/token.ts";
import type { IdentityDeps } from "../../deps.ts";
import { requireBearer } from "./bearer.ts";

export function refreshTokens(app: Hono<AppEnv>, { sessions }: IdentityDeps): void {
  app.post(
    "/token/refresh",
    answers(refreshAnswer, {
      does:
        "Exchanges a refresh token, sent as the bearer token, for new ones, as long as its log-in " +
        "goes on.",
    }),
    async function refreshTokens(c) {
      return c.json(await sessions.refresh(requireBearer(c), { address: c.env.address }));
    },
  );
}
