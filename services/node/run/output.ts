/**
 * What is to be known of an algorithm's output, found out while it passes.
 * @module
 */
import { createHash } from "node:crypto";
import { createJsonCheck } from "../payload/json_check.ts";
import { type ContentFile, openNew, readPieces, writeAll } from "../payload/pieces.ts";

/** The output of an algorithm that is to return JSON. */
export interface Output extends ContentFile {
  isJson: boolean;
}

function inspect(path: string) {
  const hash = createHash("sha256");
  let size = 0;
  return {
    take(piece: Uint8Array) {
      size += piece.length;
      hash.update(piece);
    },
    end: (): ContentFile => ({ path, size, sha256: hash.digest("hex") }),
  };
}

/** Looks at a file that is there. */
export async function inspectFile(path: string): Promise<ContentFile> {
  const inspection = inspect(path);
  for await (const piece of readPieces(path)) inspection.take(piece);
  return inspection.end();
}

export interface OutputFile {
  write(piece: Uint8Array): Promise<void>;
  /** Everything has been written. */
  end(): Output;
  /** Lets go of the file, and removes it unless it is to be kept. */
  close(options: { keep: boolean }): Promise<void>;
}

/** Makes a file for output that is still to come; there is none before its first piece. */
export function createOutputFile(path: string): OutputFile {
  const inspection = inspect(path);
  const json = createJsonCheck();
  let file: Deno.FsFile | undefined;
  return {
    async write(piece) {
      file ??= await openNew(path);
      inspection.take(piece);
      json.take(piece);
      await writeAll(file, piece);
    },
    end: () => ({ ...inspection.end(), isJson: json.end() }),
    async close({ keep }) {
      file?.close();
      if (file && !keep) await Deno.remove(path);
      file = undefined;
    },
  };
}
