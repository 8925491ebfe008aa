/**
 * The engine's form of a container's two output streams in one: frames of 8 bytes of head (stream,
 * three zeros, length) and content.
 * @module
 */

/**
 * Passes each piece of content on as it comes; what is cut off in the middle of a frame is passed
 * on too.
 */
export async function readLogFrames(
  pieces: AsyncIterable<Uint8Array>,
  onPiece: (piece: Uint8Array, channel: number) => void,
): Promise<void> {
  const head = new Uint8Array(8);
  let headLength = 0;
  let left = 0;
  for await (const chunk of pieces) {
    for (let at = 0; at < chunk.length;) {
      if (left > 0) {
        const piece = chunk.subarray(at, at + left);
        onPiece(piece, head[0]!);
        left -= piece.length;
        at += piece.length;
        continue;
      }
      const part = chunk.subarray(at, at + 8 - headLength);
      head.set(part, headLength);
      headLength += part.length;
      at += part.length;
      if (headLength === 8) {
        left = new DataView(head.buffer).getUint32(4);
        headLength = 0;
      }
    }
  }
}
