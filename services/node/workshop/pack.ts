/**
 * An algorithm as people write it, a folder with `algorithm.ts` or a single file, packed into the
 * one self-contained file that nodes run. What it may import is decided in `pack_imports.ts`.
 * @module
 */
import { dirname, join, resolve } from "node:path";
import * as esbuild from "esbuild";
import { sha256Hex } from "../../../shared/service/digest.ts";
import { packImports } from "./pack_imports.ts";

export interface PackedAlgorithm {
  /** JavaScript that imports nothing. The same sources give the same bytes, wherever they lie. */
  code: Uint8Array<ArrayBuffer>;
  /** SHA-256 in hex. */
  digest: string;
  /** From the lines of the code to those of the sources: a source map in JSON. */
  map: string;
}

/** An algorithm cannot be packed; the message says where and why. */
export class PackError extends Error {
  override name = "PackError";
}

/** The file that is packed: `algorithm.ts` in a folder, else the file itself. */
export async function entryOf(target: string): Promise<string> {
  const path = resolve(target);
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info) throw new PackError(`There is no file or folder ${path}.`);
  if (!info.isDirectory) return path;
  const entry = join(path, "algorithm.ts");
  if (await Deno.stat(entry).catch(() => undefined)) return entry;
  throw new PackError(`${path} is no package: it has no algorithm.ts.`);
}

let underWay = 0;

/**
 * Packs the algorithm whose entry is `entry`. Throws a {@linkcode PackError}.
 */
export async function pack(entry: string): Promise<PackedAlgorithm> {
  const folder = dirname(entry);
  underWay++;
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints: [entry],
      absWorkingDir: folder,
      outfile: join(folder, "packed.js"),
      sourcemap: "external",
      bundle: true,
      write: false,
      format: "esm",
      platform: "neutral",
      target: "esnext",
      charset: "utf8",
      logLevel: "silent",
      plugins: [packImports(folder)],
    });
    const contentsOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))!;
    const code = new Uint8Array(contentsOf(".js").contents);
    return { code, digest: await sha256Hex(code), map: contentsOf(".map").text };
  } catch (error) {
    const { errors } = error as Partial<esbuild.BuildFailure>;
    if (!errors) throw error;
    throw new PackError(errors.map(showError).join("\n"));
  } finally {
    // Its process would keep this one from ending.
    if (--underWay === 0) await esbuild.stop();
  }
}

function showError({ text, location }: esbuild.Message): string {
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text;
}
