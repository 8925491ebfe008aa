/**
 * What a route answers, on the line that declares it: for the description of the API, for the typed
 * client, and in the tests for a check that it is true.
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { z } from "zod";
import type { AppEnv } from "./app.ts";
import { declareFacts } from "./route_facts.ts";

/** A sentence is all that there is to say, as of a deletion. */
export const said = z.object({ msg: z.string() });

export interface AnswerOptions {
  /** Of the answer when all went well. */
  status?: number;
  /** Media type of what is not JSON; such an answer has no schema. */
  type?: string;
  /** A sentence or two on what the route does, where its name says little. */
  does?: string;
}

let checking = false;

/**
 * From now on every answer is held against its schema, and one that differs fails the request. For
 * tests.
 */
export function checkAnswers(): void {
  checking = true;
}

/**
 * Declares what a route answers.
 *
 * @example
 * ```ts
 * app.post(
 *   "/study",
 *   allow(["user"], "study:CREATE"),
 *   body(newStudy),
 *   answers(study, { status: 201 }),
 *   createStudy,
 * );
 * ```
 */
export function answers(
  schema: z.ZodType | undefined,
  { status = 200, type = "application/json", does }: AnswerOptions = {},
): MiddlewareHandler<AppEnv> {
  const handler: MiddlewareHandler<AppEnv> = async function declaredAnswer(c, next) {
    await next();
    if (checking && schema && c.res.status < 400) await check(c.res, schema, status);
  };
  return declareFacts(handler, {
    answer: { status, type, schema },
    ...(does === undefined ? {} : { does }),
  });
}

async function check(response: Response, schema: z.ZodType, status: number): Promise<void> {
  if (response.status !== status) {
    throw new Error(`The route declares status ${status} and answered ${response.status}`);
  }
  const answer = schema.safeParse(await response.clone().json());
  if (!answer.success) {
    throw new Error(`The answer differs from its schema: ${z.prettifyError(answer.error)}`);
  }
}
