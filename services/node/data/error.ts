/**
 * A database cannot be read, or not as it was asked. The message travels to the researcher: it may
 * name lines, rows and types, never a value, and no column that the caller did not name.
 */
export class DataError extends Error {
  override name = "DataError";
}
