/**
 * One request being answered, as its service keeps it: the request's body comes in, the answer goes
 * out.
 * @module
 */
import { control, createReceiver, createSender, readChunks, type Receiver } from "./body.ts";
import { dueAtAnswerer, type Limits } from "./due.ts";
import {
  decodeText,
  encodeFrame,
  encodeMeta,
  encodeText,
  type Frame,
  KIND,
  messageHeaders,
  NULL_BODY_STATUS,
  WINDOW,
} from "./frames.ts";

/** How an exchange reaches its asker. */
export interface ServerWire {
  /** Throws when there is no connection. */
  send(exchange: ServerExchange, frame: Uint8Array): void;
  /** Hears of it no more: it has ended. */
  forget(exchange: ServerExchange): void;
}

export interface ServerExchangeOptions {
  wire: ServerWire;
  id: string;
  /** The inbox of the one who asks. */
  reply: string;
  /** The name of this process among those of the service. */
  replica: string;
  limits: Limits;
  clock?: () => number;
}

/**
 * Begins with `openBody()` when the request is not whole; ends when `respond()` resolves, or
 * before.
 */
export class ServerExchange {
  readonly id: string;
  readonly reply: string;
  readonly #wire: ServerWire;
  readonly #replica: string;
  readonly #limits: Limits;
  readonly #clock: () => number;
  readonly #abort = new AbortController();
  readonly #sender = createSender((kind, seq, parts) =>
    this.#publish(encodeFrame(kind, { seq, credit: this.#credit }, ...parts))
  );
  #receiver: Receiver | undefined;
  #open = true;
  /** The asker knows which replica has it, and so has to show that it is still there. */
  #told = false;
  #lastHeard: number;
  #lastSent: number;

  constructor({ wire, id, reply, replica, limits, clock = Date.now }: ServerExchangeOptions) {
    this.#wire = wire;
    this.id = id;
    this.reply = reply;
    this.#replica = replica;
    this.#limits = limits;
    this.#clock = clock;
    const now = clock();
    this.#lastHeard = now;
    this.#lastSent = now;
  }

  /** It has not ended. */
  get open(): boolean {
    return this.#open;
  }

  /** Aborted when it ends before the answer is complete. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The body of a request of which only the first bytes have come; tells the asker to go on. */
  openBody(first: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
    this.#receiver = createReceiver({
      first,
      onCredit: () => this.#sendAlive(),
      // The handler has read enough; the answer will tell the asker so.
      onCancel: () => {},
    });
    this.#sendAlive();
    return this.#receiver.stream;
  }

  /**
   * Takes in a message of the asker. Returns false when such a message has no place in a request.
   */
  hear(frame: Frame): boolean {
    this.#lastHeard = this.#clock();
    this.#sender.grant(frame.credit);
    switch (frame.kind) {
      case KIND.data:
      case KIND.end:
      case KIND.alive: {
        const problem = this.#receiver?.take(frame);
        if (problem) this.breakOff(`the request's body did not arrive whole: ${problem}`);
        return true;
      }
      case KIND.abort:
        this.#end(new Error(`The asker broke off: ${decodeText(frame.rest)}`));
        return true;
      default:
        return false;
    }
  }

  /** Does what it is due for. */
  tick(): void {
    const times = { told: this.#told, lastHeard: this.#lastHeard, lastSent: this.#lastSent };
    switch (dueAtAnswerer(times, this.#clock(), this.#limits)) {
      case "silent":
        return this.#end(new Error("The asker has gone silent"));
      case "say alive":
        return this.#sendAlive();
    }
  }

  /**
   * Sends the answer to its end. Rejects when its body fails, or the exchange has ended meanwhile.
   */
  async respond(response: Response): Promise<void> {
    const stream = NULL_BODY_STATUS.has(response.status) ? null : response.body;
    const body = stream && readChunks(stream);
    if (body) {
      const { signal } = this.#abort;
      const stop = () => body.cancel(signal.reason);
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
    }
    const first = body ? await body.next() : { parts: [], size: 0, done: true };
    if (!this.#open) return;
    const { status, headers } = response;
    const meta = encodeMeta({ status, headers: messageHeaders(headers), replica: this.#replica });
    const frame = { complete: first.done, credit: this.#credit };
    this.#publish(encodeFrame(KIND.head, frame, ...meta, ...first.parts));
    if (!first.done && body) {
      this.#markTold();
      await this.#sender.run(body);
    }
    this.#end();
  }

  /** Ends it because something went wrong here, and tells the asker. */
  breakOff(reason: string): void {
    if (!this.#open) return;
    this.#publish(control(KIND.abort, this.#sender, this.#receiver, encodeText(reason)));
    this.#end(new Error(reason));
  }

  /** With a reason it is aborted. */
  #end(reason?: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    if (reason !== undefined) {
      this.#abort.abort(reason);
      this.#sender.fail(reason);
    }
    this.#receiver?.fail(reason ?? new Error("The response is complete"));
    this.#wire.forget(this);
  }

  #publish(frame: Uint8Array): void {
    this.#lastSent = this.#clock();
    try {
      this.#wire.send(this, frame);
    } catch (error) {
      this.#end(error);
    }
  }

  #sendAlive(): void {
    this.#markTold();
    const name = encodeText(this.#replica);
    this.#publish(control(KIND.alive, this.#sender, this.#receiver, name));
  }

  #markTold(): void {
    if (!this.#told) this.#lastHeard = this.#clock();
    this.#told = true;
  }

  /** How many chunks the asker may send in all. */
  get #credit(): number {
    return this.#receiver?.credit ?? WINDOW;
  }
}
