import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../../../shared/contract/app.ts";
import { SextantError } from "../../../shared/service/errors.ts";
import type { Refusal } from "../../../shared/storage/audit.ts";

/** Services record what they refuse; what ends here would leave no trace. */
export function tellRefusals(
  tell: ((refusal: Refusal) => void) | undefined,
): MiddlewareHandler<AppEnv> {
  return async function tellRefusal(c, next) {
    await next();
    if (!tell || !(c.error instanceof SextantError)) return;
    const { status } = c.res;
    if (status !== 401 && status !== 422 && status !== 429) return;
    const { method, path } = c.req;
    const address = String(c.env?.address ?? "");
    tell({ request_id: c.get("requestId"), method, path, status, code: c.error.code, address });
  };
}
