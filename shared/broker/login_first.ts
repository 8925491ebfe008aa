/**
 * The order in which nats.ws hears what happens on its socket: it must have returned from its
 * log-in before it hears of an error or a close, as when a credential runs out in that very second.
 * Else it takes the connection for a living one, for ever.
 * @module
 */

export interface LoginFirst {
  /** Hands on what the server sent; what follows the end of the log-in comes in a later turn. */
  take(bytes: Uint8Array<ArrayBuffer>): void;
  /** Runs `event` after all that came before it was handed on. */
  inOrder(event: () => void): void;
}

// One character a byte, so that places in the text are places in the bytes.
const latin1 = new TextDecoder("latin1");

/** `deliver` hands bytes to the client. */
export function createLoginFirst(deliver: (bytes: ArrayBuffer) => void): LoginFirst {
  let loggedIn = false;
  let later: (() => void)[] | undefined;

  function take(bytes: Uint8Array<ArrayBuffer>) {
    const end = loggedIn ? -1 : endOfLogin(bytes);
    if (end < 0) return deliver(bytes.buffer);
    loggedIn = true;
    const rest = bytes.slice(end);
    later = rest.length > 0 ? [() => take(rest)] : [];
    setTimeout(() => {
      const events = later ?? [];
      later = undefined;
      for (const event of events) event();
    });
    deliver(bytes.slice(0, end).buffer);
  }
  return {
    take,
    inOrder(event) {
      if (later) later.push(event);
      else event();
    },
  };
}

/**
 * Where the answer to the first PING ends; -1 when it is not in there. No message can come before
 * it.
 */
function endOfLogin(bytes: Uint8Array): number {
  const at = latin1.decode(bytes).search(/^PONG\r\n/m);
  return at < 0 ? -1 : at + "PONG\r\n".length;
}
