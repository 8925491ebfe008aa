import { SextantError } from "../../../shared/service/errors.ts";

function tooLarge(limit: number): SextantError {
  const mebibytes = Math.floor(limit / 2 ** 20);
  return new SextantError("payload_too_large", `The body is larger than ${mebibytes} MiB.`);
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
