/** Bytes of one message, as the broker enforces it. */
export const MAX_PAYLOAD = 1024 * 1024;
