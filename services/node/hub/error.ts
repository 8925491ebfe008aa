/**
 * How asking the hub can fail.
 * @module
 */

/** The hub did not do what it was asked. Without a status it could not be reached. */
export class HubError extends Error {
  constructor(message: string, readonly status?: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "HubError";
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return this.status === undefined || this.status >= 500 || this.status === 429;
  }
}

/** The hub knows no node with this API key: nothing that this agent does can succeed. */
export class WrongKeyError extends Error {
  override name = "WrongKeyError";
}
