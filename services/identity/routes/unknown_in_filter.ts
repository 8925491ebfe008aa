import { SextantError } from "../../../shared/service/errors.ts";

/** A filter that names something that does not exist is a bad request (contract §1.5). */
export function unknownInFilter(noun: string, id: number): SextantError {
  return new SextantError(
    "invalid_request",
    `The filter names a ${noun} that does not exist: ${id}.`,
  );
}
