/**
 * Whose result is whose, as the hub has told a run: what an algorithm was told once is held to when
 * the result itself says who has written it.
 * @module
 */
import { z } from "zod";

const runSchema = z.looseObject({ id: z.int(), organization: z.looseObject({ id: z.int() }) });
const answerSchema = z.union([
  runSchema.transform((one) => [one]),
  z.looseObject({ data: z.array(runSchema) }).transform(({ data }) => data),
]).catch([]);

export interface Attributions {
  /**
   * Takes note of an answer with runs that the algorithm gets. Throws when it attributes a run to
   * another organization than an answer before.
   */
  look(answer: unknown): void;
  /** For which organization the algorithm takes a result, if it was told. */
  of(resultId: number): number | undefined;
}

export function createAttributions(): Attributions {
  const told = new Map<number, number>();
  return {
    look(answer) {
      for (const { id, organization } of answerSchema.parse(answer)) {
        const before = told.get(id);
        if (before !== undefined && before !== organization.id) {
          throw new Error(
            `The hub said that run ${id} is organization ${before}'s, and now says ${organization.id}'s`,
          );
        }
        told.set(id, organization.id);
      }
    },
    of: (resultId) => told.get(resultId),
  };
}
