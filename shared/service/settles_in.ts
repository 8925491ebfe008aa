/**
 * Whether `promise` is fulfilled within `ms`; it is left alone when it is not. Rejects as it does.
 */
export async function settlesIn(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(false), ms);
  return await Promise.race([promise.then(() => true), late.promise])
    .finally(() => clearTimeout(timer));
}
