/**
 * The hub's services as few files each: their modules and packages in one, what they load only when
 * they need it in others. A process that runs them has 8 MiB less than one that runs the sources,
 * and starts sooner; what it does is the same.
 * @module
 */
import { createRequire, isBuiltin } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { PROGRAMS } from "../programs.ts";
import { ROOT } from "../service_part.ts";

/**
 * Packages that hold native code. Its file is put beside the programs: to find it by the package's
 * name, Deno would need deno.json and the lock, and have both in memory.
 */
const NATIVE = ["@node-rs/argon2", "@node-rs/bcrypt"];
/** Packages that others load if they are there; here they are not. */
const ABSENT = ["pg-native", "bufferutil", "utf-8-validate"];

/**
 * Writes `<service>.js` for each hub service and the gateway into `folder`, with source maps, by
 * which Deno names our files and lines in the traces of errors. Rejects with an Error that names
 * file and line of what does not compile.
 */
export async function bundlePrograms(folder: string): Promise<void> {
  try {
    await esbuild.build({
      entryPoints: PROGRAMS.map((service) => ({
        in: join(ROOT, "services", service, "main.ts"),
        out: service,
      })),
      chunkNames: "part-[hash]",
      outdir: folder,
      bundle: true,
      splitting: true,
      // Names stay: errors tell them.
      minifyWhitespace: true,
      legalComments: "none",
      sourcemap: "linked",
      sourcesContent: false,
      format: "esm",
      platform: "node",
      target: "esnext",
      // One byte a character in memory, in place of two.
      charset: "ascii",
      // Packages of CommonJS load what Node.js has by `require`.
      banner: {
        js: 'import { createRequire as requireOf } from "node:module";' +
          "const require = requireOf(import.meta.url);",
      },
      logLevel: "silent",
      loader: { ".node": "file" },
      plugins: [packages, native, places],
    });
  } finally {
    // Its process would keep this one from ending.
    await esbuild.stop();
  }
}

/** Finds packages where Deno keeps them. */
const packages: esbuild.Plugin = {
  name: "packages",
  setup(build) {
    build.onResolve({ filter: /^(@?[a-z])/ }, ({ path, kind, importer }) => {
      if (kind === "entry-point" || /^(data|https?):/.test(path)) return undefined;
      if (isBuiltin(path)) return { path: `node:${path.replace(/^node:/, "")}`, external: true };
      if (NATIVE.includes(path)) return { path, namespace: "native" };
      if (ABSENT.includes(path)) return { path, external: true };
      return { path: ownPackage(path) ?? createRequire(importer).resolve(path) };
    });
    // Error texts in some fifty languages, of which the hub uses none.
    build.onLoad({ filter: /[\\/]zod[\\/].*[\\/]locales[\\/]index\.c?js$/ }, () => ({
      contents: "export {};",
      loader: "js",
    }));
    build.onLoad({ filter: /[\\/]npm[\\/].*\.[cm]?js$/ }, async ({ path, with: { type } }) => {
      // It may be imported as a text.
      if (type !== undefined) return undefined;
      return { contents: `${await Deno.readTextFile(path)}\n${onlyNamed(path)}`, loader: "js" };
    });
  },
};

/** A package of native code is its file for this machine. */
const native: esbuild.Plugin = {
  name: "native",
  setup(build) {
    build.onLoad({ filter: /^/, namespace: "native" }, ({ path: name }) => {
      const load = createRequire(import.meta.resolve(name));
      const exports = Object.keys(load(name)).join(", ");
      const files = Object.keys(load.cache).filter((file) => file.endsWith(".node"));
      const file = files.find((file) => file.includes(`/${name}-`));
      if (file === undefined) throw new Error(`${name} has no native code for this machine`);
      const contents = `import { fileURLToPath } from "node:url";
        import file from ${JSON.stringify(file)};
        export const { ${exports} } = require(fileURLToPath(new URL(file, import.meta.url)));`;
      return { contents, loader: "js", resolveDir: "/" };
    });
  },
};

/**
 * A source map that says of a package's file which it is, and of none of its lines: Deno has the
 * maps in memory, and those of all lines of the packages are most of them.
 */
function onlyNamed(path: string): string {
  const map = { version: 3, sources: [pathToFileURL(path).href], mappings: "AAAA" };
  return `//# sourceMappingURL=data:application/json,${encodeURIComponent(JSON.stringify(map))}`;
}

function ownPackage(name: string): string | undefined {
  try {
    const url = import.meta.resolve(name);
    return url.startsWith("file:") ? fileURLToPath(url) : undefined;
  } catch {
    return undefined;
  }
}

/** Our files find what lies beside them, wherever their code has gone. */
const places: esbuild.Plugin = {
  name: "places",
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path, with: { type } }) => {
      if (type !== undefined) return undefined;
      const text = await Deno.readTextFile(path);
      const place = JSON.stringify(pathToFileURL(path).href);
      return { contents: text.replaceAll("import.meta.url", place), loader: "ts" };
    });
  },
};
