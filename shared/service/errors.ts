/**
 * The one error class of Sextant and the one way it reaches a client.
 *
 * On the wire an error is `{"msg", "code", "request_id"?, "errors"?}`: v6's clients read `msg`,
 * programs switch on `code`, people quote `request_id`.
 * @module
 */

/** Every code an API answer can carry, with the HTTP status it maps to. */
export const ERROR_STATUS = {
  invalid_request: 400,
  conflict: 400,
  unauthenticated: 401,
  forbidden: 401, // v6's API answers 401 where others answer 403; see the HTTP contract §1.5
  not_member_of_store: 403,
  task_finished: 403,
  not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  idempotency_conflict: 409,
  payload_too_large: 413,
  invalid_token: 422,
  too_many_requests: 429,
  internal: 500,
  not_configured: 501,
  bad_gateway: 502,
  unavailable: 503,
  timeout: 504,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

/** Field name → what is wrong with it; whole-body problems stand under `_schema`. */
export type FieldErrors = Record<string, string[]>;

export interface SextantErrorOptions {
  errors?: FieldErrors;
  cause?: unknown;
}

/**
 * An expected failure with a stable code. The message is a full sentence for the person who reads
 * it.
 */
export class SextantError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldErrors | undefined;

  constructor(code: ErrorCode, message: string, { errors, cause }: SextantErrorOptions = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "SextantError";
    this.code = code;
    this.errors = errors;
  }

  get status(): number {
    return ERROR_STATUS[this.code];
  }
}

/** The JSON body of an error answer. */
export interface ErrorBody {
  msg: string;
  code: ErrorCode;
  request_id?: string;
  errors?: FieldErrors;
}

/**
 * Turns anything thrown into the body and status a client may see.
 * Unknown errors become one sentence: their text may hold data that is not the caller's.
 */
export function toErrorBody(
  error: unknown,
  requestId?: string,
): { status: number; body: ErrorBody } {
  const known = error instanceof SextantError ? error : undefined;
  const body: ErrorBody = {
    msg: known?.message ??
      "Something went wrong on the server; quote the request id to its operator.",
    code: known?.code ?? "internal",
  };
  if (requestId) body.request_id = requestId;
  if (known?.errors) body.errors = known.errors;
  return { status: known?.status ?? 500, body };
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // By itself fetch says only that it failed; why, it says below.
  return error.message === "fetch failed" && error.cause instanceof Error
    ? error.cause.message.replace(/^error sending request for url \(\S*\): /, "")
    : error.message;
}
