import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../shared/contract/app.ts";
import { SextantError } from "../../../shared/service/errors.ts";

function tooLarge(limit: number): SextantError {
  const size = limit < 2 ** 20 ? `${limit / 1024} KiB` : `${Math.floor(limit / 2 ** 20)} MiB`;
  return new SextantError("payload_too_large", `The body is larger than ${size}.`);
}

/**
 * The request with a body that fails once more than `limit` bytes have passed. A body whose
 * declared length is too large is refused at once.
 *
 * `hono/body-limit` is not used: it reads a body that does not declare its length whole into
 * memory, and one of `/blobstream` may have gigabytes.
 */
export function limitBody(request: Request, limit: number): Request {
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw tooLarge(limit);
  if (!request.body || request.headers.has("content-length")) return request;
  let passed = 0;
  const counted = request.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        passed += chunk.length;
        if (passed > limit) controller.error(tooLarge(limit));
        else controller.enqueue(chunk);
      },
    }),
  );
  return new Request(request, { body: counted });
}

/** Routes that take names, passwords and tokens, most of them from strangers. */
const SECRETS = /^\/api\/(?:token|recover|password)\//;
const SECRETS_LIMIT = 16 * 1024;

/** Reads the body of log-in, recovery and password routes whole: no more than 16 KiB of it. */
export const limitSecrets: MiddlewareHandler<AppEnv> = async function limitSecret(c, next) {
  const { raw } = c.req;
  if (raw.body && SECRETS.test(c.req.path)) {
    const body = await limitBody(raw, SECRETS_LIMIT).arrayBuffer();
    const { method, headers, signal } = raw;
    c.req.raw = new Request(raw.url, { method, headers, signal, body });
  }
  await next();
};
