/** A text is no condition, or one that these columns do not allow. */
export class ConditionError extends TypeError {
  override name = "TypeError";

  /** `at` counts the characters of the condition from 1. */
  constructor(why: string, at: number) {
    super(`The condition "where" cannot be used, at character ${at}: ${why}.`);
  }
}
