/**
 * One request under way, as its asker keeps it: what it sent, what it has heard, and how it ends.
 * @module
 */
import { messageOf, SextantError } from "../service/errors.ts";
import type { HubService } from "../broker/subjects.ts";
import {
  type ChunkReader,
  control,
  createReceiver,
  createSender,
  type Receiver,
  type Sender,
} from "./body.ts";
import { dueAtAsker, type Limits, whenNobodyListens } from "./due.ts";
import {
  decodeReplica,
  decodeResponse,
  decodeText,
  encodeFrame,
  encodeText,
  type Frame,
  KIND,
  NULL_BODY_STATUS,
  WINDOW,
} from "./frames.ts";

/** How an exchange reaches its service. Both ways to send throw when there is no connection. */
export interface ClientWire {
  /** To whichever replica takes it. */
  sendRequest(exchange: ClientExchange, request: Uint8Array): void;
  /**
   * To the replica that has it, or to all while that is not known. With `askBack` the broker tells
   * at once when that replica is not there any more.
   */
  sendFrame(exchange: ClientExchange, frame: Uint8Array, askBack: boolean): void;
  /**
   * Hears it under another number from now on, and under the old one no more; returns the new one.
   */
  renumber(exchange: ClientExchange): string;
  /** Hears of it no more: it has ended. */
  forget(exchange: ClientExchange): void;
}

export interface ClientExchangeOptions {
  wire: ClientWire;
  number: string;
  service: HubService;
  /** The first message. */
  request: Uint8Array;
  /** It may be asked a second time: it only reads, and is whole. */
  repeatable: boolean;
  /** What of the request's body is not in the first message. */
  body: ChunkReader | undefined;
  limits: Limits & { timeoutMs: number };
  clock?: () => number;
}

const RETRY_EVERY_MS = 50;

export function unavailable(service: HubService, why: string, cause?: unknown): SextantError {
  return new SextantError("unavailable", `The ${service} service is not answering; ${why}.`, {
    cause,
  });
}

/** Begins with `start()`; `answer` settles when the answer begins, or never will. */
export class ClientExchange {
  readonly service: HubService;
  /** Rejects with `unavailable` or `timeout`, and with what the request's own body failed with. */
  readonly answer: Promise<Response>;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #wire: ClientWire;
  readonly #limits: ClientExchangeOptions["limits"];
  readonly #clock: () => number;
  readonly #body: ChunkReader | undefined;
  readonly #sender: Sender | undefined;
  #receiver: Receiver | undefined;
  #number: string;
  #replica: string | undefined;
  /** The first message, until someone has answered it. */
  #request: Uint8Array | undefined;
  #repeatable: boolean;
  #open = true;
  #stopListening = () => {};
  #began: number;
  #lastMoved: number;
  #lastHeard: number;
  #lastSent: number;

  constructor(options: ClientExchangeOptions) {
    const { wire, number, service, request, repeatable, body, limits } = options;
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.service = service;
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#wire = wire;
    this.#limits = limits;
    this.#clock = options.clock ?? Date.now;
    this.#number = number;
    this.#request = request;
    this.#repeatable = repeatable;
    this.#body = body;
    this.#sender = body && createSender((kind, seq, parts) => {
      this.#lastMoved = this.#clock();
      const credit = this.#receiver?.credit ?? WINDOW;
      this.#publish(encodeFrame(kind, { seq, credit }, ...parts));
    });
    const now = this.#clock();
    this.#began = now;
    this.#lastMoved = now;
    this.#lastHeard = now;
    this.#lastSent = now;
  }

  /** The number under which its answers come. */
  get number(): string {
    return this.#number;
  }

  /** The replica that has it, once that is known. */
  get replica(): string | undefined {
    return this.#replica;
  }

  /** Sends the request; it is broken off when one of the signals is aborted. */
  start(signals: readonly AbortSignal[]): void {
    const onAbort = (event: Event) => this.breakOff((event.target as AbortSignal).reason);
    for (const signal of signals) signal.addEventListener("abort", onAbort);
    this.#stopListening = () => {
      for (const signal of signals) signal.removeEventListener("abort", onAbort);
    };
    try {
      this.#sendRequest();
    } catch (error) {
      this.fail(unavailable(this.service, "the request cannot be sent", error));
    }
  }

  /**
   * Takes in a message of the service. Returns false when such a message has no place in an answer.
   */
  hear(frame: Frame): boolean {
    this.#lastHeard = this.#clock();
    this.#request = undefined;
    this.#sender?.grant(frame.credit);
    switch (frame.kind) {
      case KIND.alive:
        this.#onAlive(frame);
        return true;
      case KIND.head:
        this.#onHead(frame);
        return true;
      case KIND.data:
      case KIND.end:
        this.#onBody(frame);
        return true;
      case KIND.abort: {
        const why = `The ${this.service} service broke off: ${decodeText(frame.rest)}.`;
        this.fail(new SextantError("unavailable", why));
        return true;
      }
      default:
        return false;
    }
  }

  /** Nobody listens where its last message went. */
  hearNobody(): void {
    const facts = { waitsForReplica: this.#request !== undefined, began: this.#began };
    switch (whenNobodyListens(facts, this.#clock())) {
      case "replica gone":
        return this.fail(unavailable(this.service, "the replica that had begun is gone"));
      case "give up":
        return this.fail(unavailable(this.service, "try again in a moment"));
      case "send again":
        setTimeout(() => {
          if (this.#open && this.#request) this.#sendRequest();
        }, RETRY_EVERY_MS);
    }
  }

  /** Does what it is due for. */
  tick(): void {
    const due = dueAtAsker(
      {
        began: this.#began,
        lastMoved: this.#lastMoved,
        lastHeard: this.#lastHeard,
        lastSent: this.#lastSent,
        repeatable: this.#repeatable && this.#request !== undefined,
        taken: this.#replica !== undefined,
        answering: this.#receiver !== undefined,
      },
      this.#clock(),
      this.#limits,
    );
    const { silenceMs, timeoutMs } = this.#limits;
    switch (due) {
      case "ask again":
        return this.#askAgain();
      case "silent": {
        const why = `nothing was heard of it for ${silenceMs / 1000} s`;
        return this.breakOff(unavailable(this.service, why));
      }
      case "too late": {
        const why = this.#sender?.done === false
          ? `The request's body did not move on for ${timeoutMs / 1000} s.`
          : `The ${this.service} service did not answer within ${timeoutMs / 1000} s.`;
        return this.breakOff(new SextantError("timeout", why));
      }
      case "say alive":
        return this.#sendAlive();
    }
  }

  /** Ends it because it failed: rejects the answer, or breaks its body off. */
  fail(reason: unknown): void {
    if (!this.#end()) return;
    this.#sender?.fail(reason);
    this.#body?.cancel(reason);
    this.#reject(reason);
    this.#receiver?.fail(reason);
  }

  /** The same, and tells the service. */
  breakOff(reason: unknown): void {
    if (!this.#open) return;
    const text = encodeText(messageOf(reason));
    this.#publish(control(KIND.abort, this.#sender, this.#receiver, text));
    this.fail(reason);
  }

  #finish(): void {
    if (!this.#end()) return;
    // An answer may come before the service has read the whole request; it wants no more.
    this.#sender?.fail(new Error("The service has answered"));
    this.#body?.cancel(new Error("The service has answered"));
  }

  /** Returns false when it had ended already. */
  #end(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#wire.forget(this);
    this.#stopListening();
    return true;
  }

  #publish(frame: Uint8Array, askBack = false): void {
    this.#lastSent = this.#clock();
    try {
      this.#wire.sendFrame(this, frame, askBack);
    } catch (error) {
      this.fail(unavailable(this.service, "NATS is gone", error));
    }
  }

  #sendAlive(): void {
    this.#publish(control(KIND.alive, this.#sender, this.#receiver), true);
  }

  #sendRequest(): void {
    this.#wire.sendRequest(this, this.#request!);
  }

  /**
   * A replica that is killed takes along what it was just given. What only reads is asked once
   * more, under another number, so that answers to the first cannot mix with the second's.
   */
  #askAgain(): void {
    this.#repeatable = false;
    this.#number = this.#wire.renumber(this);
    this.#sendRequest();
  }

  #onAlive(frame: Frame): void {
    const first = !this.#replica;
    this.#replica ??= decodeReplica(frame.rest);
    if (first && this.#replica) this.#startUpload();
    if (this.#receiver) this.#onBody(frame);
  }

  #onHead(frame: Frame): void {
    if (this.#receiver) return; // came twice
    const response = decodeResponse(frame.rest);
    if (!response) return this.breakOff(unavailable(this.service, "its answer cannot be read"));
    const { meta: { status, headers, replica }, body } = response;
    const init = { status, headers };
    if (frame.complete) {
      const whole = NULL_BODY_STATUS.has(status) ? null : body as Uint8Array<ArrayBuffer>;
      this.#resolve(new Response(whole, init));
      return this.#finish();
    }
    this.#replica ??= replica;
    this.#receiver = createReceiver({
      first: body,
      onCredit: () => this.#sendAlive(),
      onCancel: (reason) => this.breakOff(reason ?? new Error("nobody reads the answer")),
    });
    this.#resolve(new Response(this.#receiver.stream, init));
  }

  #onBody(frame: Frame): void {
    if (!this.#receiver) return this.breakOff(this.#lost("its beginning was lost"));
    const problem = this.#receiver.take(frame);
    if (problem) return this.breakOff(this.#lost(problem));
    if (this.#receiver.complete) this.#finish();
  }

  #lost(problem: string): SextantError {
    return new SextantError(
      "unavailable",
      `The answer of the ${this.service} service did not arrive whole: ${problem}.`,
    );
  }

  async #startUpload(): Promise<void> {
    if (!this.#sender || !this.#body) return;
    try {
      await this.#sender.run(this.#body);
    } catch (error) {
      this.breakOff(error);
    }
  }
}
