/**
 * What can go wrong with a client of the API. Each kind is a class; the message is a sentence for
 * people.
 * @module
 */
import { z } from "zod";
import { messageOf } from "../../shared/service/errors.ts";

/** Of everything that the client throws by itself. */
export class ClientError extends Error {
  override name = "ClientError";
}

/** Why the hub refused, as far as it says. */
const errorBody = z.looseObject({
  msg: z.string().catch(""),
  code: z.string().optional().catch(undefined),
  request_id: z.string().optional().catch(undefined),
  errors: z.record(z.string(), z.array(z.string())).optional().catch(undefined),
});
export type ErrorAnswer = z.infer<typeof errorBody>;

/** The hub answered with an error; `message` is the hub's own. */
export class ApiError extends ClientError {
  override name = "ApiError";
  /**
   * A word that programs can go by, such as `not_found`; answers that are not our hub's lack it.
   */
  readonly code: string | undefined;
  /** What the hub's operator finds it by in the logs. */
  readonly requestId: string | undefined;
  /** What is wrong with each field of the request. */
  readonly errors: Record<string, string[]>;

  constructor(
    /** `GET /task/1` */
    readonly request: string,
    readonly status: number,
    readonly body: ErrorAnswer,
  ) {
    super(body.msg || `${request}: the hub answered ${status}`);
    this.code = body.code;
    this.requestId = body.request_id;
    this.errors = body.errors ?? {};
  }
}

/** The session is over, or there was none: log in again. */
export class LoggedOutError extends ApiError {
  override name = "LoggedOutError";
}

/** A wrong name, password or code; the hub does not say which. */
export class LogInRefusedError extends ApiError {
  override name = "LogInRefusedError";
}

/** Nobody may do this with the rights of who is logged in. */
export class ForbiddenError extends ApiError {
  override name = "ForbiddenError";
}

export class NotFoundError extends ApiError {
  override name = "NotFoundError";
}

/** There is no answer: the hub is away, or the way to it. */
export class UnreachableError extends ClientError {
  override name = "UnreachableError";
  constructor(url: string, cause: unknown) {
    super(`Cannot reach the hub at ${url}: ${messageOf(cause)}`, { cause });
  }
}

/** The hub answered something that its own contract does not have. */
export class StrangeAnswerError extends ClientError {
  override name = "StrangeAnswerError";
}

/** A key is of no use. */
export class KeyError extends ClientError {
  override name = "KeyError";
}

/**
 * The hub shows another public key of an organization than before: whoever holds its private half
 * reads what is encrypted with it. Nothing was sent.
 */
export class KeyChangedError extends KeyError {
  override name = "KeyChangedError";
  constructor(
    readonly organization: { id: number; name: string },
    /** Fingerprints. */
    readonly before: string,
    readonly now: string,
  ) {
    super(
      `The public key of organization ${organization.id} "${organization.name}" is ${now} now, and ` +
        `was ${before}: it is not used. Ask its people whether they have changed it; accept the ` +
        "new one only then.",
    );
  }
}

/** A result cannot be read, and why. */
export class ResultError extends ClientError {
  override name = "ResultError";
}

/** The answer's own words, whatever it is. */
export function readErrorBody(value: unknown): ErrorAnswer {
  const read = errorBody.safeParse(value);
  return read.success ? read.data : { msg: "" };
}
