/**
 * A payload cannot be read: damaged, tampered with, or meant for another key. It does not say
 * which, on purpose.
 */
export class UnreadableError extends Error {
  override name = "UnreadableError";
  constructor(message = "it was damaged, or encrypted for another key") {
    super(message);
  }
}

/** A payload is refused though it could be read, or because of what it says of itself. */
export class RefusedPayloadError extends UnreadableError {
  override name = "RefusedPayloadError";
}
