/**
 * Turns: what an algorithm may ask for any number of times at once is done one after the other
 * where it takes memory or room on the disk, so that a bound for one is a bound for all.
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { createTurns, takeTurn } from "../../../../shared/service/turns.ts";
import { PIECE, streamOf } from "../../payload/pieces.ts";

/** `completed` settles when an answer has been sent, or nobody takes it any more. */
export type ProxyContext = { completed: Promise<void> };

/**
 * Answers one request after the other. A large answer has its turn until it has been sent, or
 * nobody takes it any more.
 */
export function oneAfterTheOther(): MiddlewareHandler<{ Bindings: ProxyContext }> {
  const inTurn = createTurns(1);
  return async function answerInTurn(c, next) {
    const release = await takeTurn(inTurn);
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
