/**
 * Our modules as one script for other platforms than Deno: whatever only Deno or Node.js has does
 * not go into it.
 * @module
 */
import * as esbuild from "esbuild";

/** The script of a module, as browsers take it. Rejects when it needs what browsers do not have. */
export async function bundleForBrowsers(code: string, { target = "es2022" } = {}): Promise<string> {
  try {
    const { outputFiles } = await esbuild.build({
      stdin: { contents: code, loader: "ts", resolveDir: new URL(".", import.meta.url).pathname },
      bundle: true,
      write: false,
      format: "esm",
      platform: "browser",
      target,
      logLevel: "silent",
      plugins: [{
        name: "packages",
        setup(build) {
          build.onResolve({ filter: /^[a-z@]/ }, ({ path, kind }) => {
            if (kind !== "import-statement" || path.startsWith("node:")) return undefined;
            const { protocol, pathname } = new URL(import.meta.resolve(path));
            return protocol === "file:" ? { path: pathname } : undefined;
          });
        },
      }],
    });
    return outputFiles[0]!.text;
  } finally {
    await esbuild.stop();
  }
}
