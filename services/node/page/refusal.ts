import type { ContentfulStatusCode } from "hono/utils/http-status";

/** Why the owner's page is not answered: a status, and a sentence for the one who looks at it. */
export class Refusal extends Error {
  override name = "Refusal";

  constructor(readonly status: ContentfulStatusCode, message: string) {
    super(message);
  }
}
