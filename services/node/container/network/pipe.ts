/**
 * Two connections made one.
 * @module
 */

/** Passes on what comes from either side until both have said all; rejects when one breaks off. */
export async function joinConnections(one: Deno.Conn, other: Deno.Conn): Promise<void> {
  await Promise.all([copy(one, other), copy(other, one)]);
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  for (let size = await from.read(buffer); size !== null; size = await from.read(buffer)) {
    for (let done = 0; done < size;) done += await to.write(buffer.subarray(done, size));
  }
  await to.closeWrite();
}
