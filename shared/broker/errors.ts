/**
 * What the client library's errors mean.
 * @module
 */
import { NatsError, NatsErrorCode } from "./connection.ts";

function codeOf(error: unknown): string | undefined {
  return error instanceof NatsError ? error.code : undefined;
}

/** Whether nobody listens where a request went: it was delivered to nobody. */
export function isNobodyThere(error: unknown): boolean {
  return codeOf(error) === NatsErrorCode.NoResponders;
}

/** Whether an answer did not come in time. */
export function isTimeout(error: unknown): boolean {
  return codeOf(error) === NatsErrorCode.Timeout;
}

/** Whether the client would not send a message, since it is larger than the broker takes. */
export function isTooLarge(error: unknown): boolean {
  return codeOf(error) === NatsErrorCode.MaxPayloadExceeded;
}

/** Whether JetStream says that the stream (10059) or consumer (10014) does not exist. */
export function isMissing(error: unknown): boolean {
  const code = apiErrorOf(error)?.err_code;
  return code === 10059 || code === 10014;
}

/**
 * Whether JetStream says that it has not the room for a stream (10047), or for anything (10023).
 */
export function isWithoutRoom(error: unknown): boolean {
  const code = apiErrorOf(error)?.err_code;
  return code === 10047 || code === 10023;
}

function apiErrorOf(error: unknown) {
  return error instanceof NatsError ? error.api_error : undefined;
}
