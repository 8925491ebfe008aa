/**
 * The blob variant of a sealed payload (HTTP contract §7.4): its ciphertext as it is, not in base64.
 * @module
 */
import type { FilePart } from "../upload.ts";

/** More than any header has. */
const HEADER_LIMIT = 4096;
// A multiple of four, so that each piece can be decoded by itself.
const PIECE = 1024 * 1024;

/**
 * Writes the blob of the payload that stands as text in a part of a file to the new file `path`, piece by piece;
 * `undefined` when that payload is not sealed.
 */
export async function asSealedBlob(part: FilePart, path: string): Promise<FilePart | undefined> {
  const source = await Deno.open(part.path);
  try {
    const start = await readAt(source, part.start, Math.min(part.end, part.start + HEADER_LIMIT));
    const second = start.indexOf(0x24, start.indexOf(0x24) + 1);
    if (second <= 0) return undefined;
    const target = await Deno.open(path, {
      create: true,
      write: true,
      truncate: true,
      mode: 0o600,
    });
    try {
      let size = await writeAll(target, start.subarray(0, second + 1));
      for (let at = part.start + second + 1; at < part.end; at += PIECE) {
        const text = await readAt(source, at, Math.min(part.end, at + PIECE));
        size += await writeAll(target, Uint8Array.fromBase64(new TextDecoder().decode(text)));
      }
      return { path, start: 0, end: size };
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}

async function readAt(file: Deno.FsFile, from: number, to: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(to - from);
  await file.seek(from, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) throw new Error("Cannot read a report: it is shorter than it was");
    done += count;
  }
  return bytes;
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<number> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  return bytes.length;
}
