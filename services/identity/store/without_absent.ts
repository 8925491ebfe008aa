/** The columns that a value is given for; null is one. */
export function withoutAbsent(values: object): Record<string, string | number | boolean | null> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
