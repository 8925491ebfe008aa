/**
 * The folder of an agent's sockets. The path of a socket has at most 107 characters (`unix(7)`),
 * which are too few for one in the data folder.
 * @module
 */

/**
 * Makes it. The file `note` says where it is, so that the next agent removes what one that was
 * killed has left.
 */
export async function createSocketFolder(note: string): Promise<string> {
  const left = await Deno.readTextFile(note).catch(() => "");
  if (left !== "") await Deno.remove(left, { recursive: true }).catch(() => {});
  const folder = await Deno.makeTempDir({ prefix: "sx-" });
  await Deno.writeTextFile(note, folder);
  return folder;
}
