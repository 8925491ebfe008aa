/**
 * Turns: what an algorithm may ask for any number of times at once is done one after the other where it takes memory
 * or room on the disk, so that a bound for one is a bound for all.
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { PIECE, streamOf } from "../payload/pieces.ts";

/** `completed` settles when an answer has been sent, or nobody takes it any more. */
export type ProxyContext = { completed: Promise<void> };

/** Waits for its turn; what it resolves to ends that. */
export type TakeTurn = () => Promise<() => void>;

export function createTurns(): TakeTurn {
  let last = Promise.resolve();
  return async function takeTurn() {
    const before = last;
    const turn = Promise.withResolvers<void>();
    last = turn.promise;
    await before;
    return turn.resolve;
  };
}

/** Answers one request after the other. A large answer has its turn until it has been sent, or nobody takes it any more. */
export function inTurn(takeTurn: TakeTurn): MiddlewareHandler<{ Bindings: ProxyContext }> {
  return async function answerInTurn(c, next) {
    const release = await takeTurn();
    let held = false;
    try {
      await next();
      const bytes = await c.res.bytes();
      const { status, headers } = c.res;
      held = bytes.length > PIECE;
      const body = held ? streamOf(inPieces(bytes)) : bytes;
      // Whoever left, or asked for the head only, never reads the body.
      if (held) c.env.completed.then(release, release);
      c.res = undefined;
      c.res = new Response(body, { status, headers });
    } finally {
      if (!held) release();
    }
  };
}

async function* inPieces(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}
