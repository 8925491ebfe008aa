/**
 * Turns: what an algorithm may ask for any number of times at once is done one after the other
 * where it takes memory or room on the disk, so that a bound for one is a bound for all. What is
 * large waits for a turn among all runs of the agent, too, and may not keep it for long: whoever
 * sends or takes slowly would else keep all others from theirs.
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { createTurns, takeTurn } from "../../../../shared/service/turns.ts";
import { isTooLarge, MOST_BYTES, SMALL_BYTES } from "../subtasks.ts";
import { PIECE, streamOf } from "../../payload/pieces.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** `completed` settles when an answer has been sent, or nobody takes it any more. */
export type ProxyContext = { completed: Promise<void> };

export type ProxyEnv = {
  Bindings: ProxyContext;
  Variables: {
    /** Waits for a turn among all runs; it ends with this one. */
    takeLargeTurn: () => Promise<void>;
  };
};

export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Does something within few bytes, or, when it takes more, within many when it is its turn. */
export async function withinBounds<Result>(
  c: Context<ProxyEnv>,
  work: (mostBytes: number) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(SMALL_BYTES);
  } catch (error) {
    if (!isTooLarge(error)) throw error;
  }
  await c.get("takeLargeTurn")();
  return await work(MOST_BYTES);
}

/**
 * Answers one request after the other. A large answer has its turn until it has been sent, or
 * nobody takes it any more.
 */
export function oneAfterTheOther(
  { inLargeTurn, patienceMs }: { inLargeTurn: InTurn; patienceMs: number },
): MiddlewareHandler<ProxyEnv> {
  const inTurn = createTurns(1);
  return async function answerInTurn(c, next) {
    const releaseOwn = await takeTurn(inTurn);
    let releaseLarge: (() => void) | undefined;
    function release(): void {
      releaseOwn();
      releaseLarge?.();
    }
    c.set("takeLargeTurn", async () => {
      releaseLarge ??= await takeTurn(inLargeTurn);
      c.req.raw.signal.throwIfAborted();
    });
    let held = false;
    try {
      await next();
      const bytes = await c.res.bytes();
      const { status, headers } = c.res;
      held = bytes.length > PIECE;
      const mostMs = releaseLarge && patienceMs;
      const body = held ? keepFor(bytes, { mostMs, release, ...c.env }) : bytes;
      c.res = undefined;
      c.res = new Response(body, { status, headers });
    } finally {
      if (!held) release();
    }
  };
}

/** An answer that is kept until it has been taken; after `mostMs` it breaks off. */
function keepFor(
  bytes: Bytes,
  { mostMs, release, completed }: ProxyContext & {
    mostMs: number | undefined;
    release: () => void;
  },
): ReadableStream<Bytes> {
  let left: Bytes | undefined = bytes;
  async function* pieces(): AsyncGenerator<Bytes> {
    for (let at = 0; !left || at < left.length; at += PIECE) {
      if (!left) throw new Error(`The answer was not taken within ${mostMs! / 1000} s`);
      yield left.subarray(at, at + PIECE);
    }
  }
  function end(): void {
    left = undefined;
    clearTimeout(late);
    release();
  }
  const late = mostMs === undefined ? undefined : setTimeout(end, mostMs);
  // Whoever left, or asked for the head only, never reads the body.
  completed.then(end, end);
  return streamOf(pieces());
}
