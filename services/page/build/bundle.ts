/**
 * A page as browsers get it: its TSX, its styles and the packages it uses, as few small files whose
 * names hold the digest of their content. It is made where the page is set up, in milliseconds; the
 * process that serves it needs no compiler, and no right to run one.
 * @module
 */
import { createRequire } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

/** A file to serve below `assets/`, for ever: another content has another name. */
export interface PageAsset {
  name: string;
  type: string;
  content: Uint8Array<ArrayBuffer>;
}

export interface BundledPage {
  /** The document at `/`; it names the assets by addresses that are relative to its own. */
  document: string;
  assets: PageAsset[];
}

export interface PageSource {
  /** The module with which the page begins. */
  entry: URL;
  /** The style sheet; it imports others. */
  styles: URL;
  /** Modules that run in workers, by the name under which `workerAddress` finds them. */
  workers?: Record<string, URL>;
  title: string;
  /** What is said where scripts do not run. */
  noScript: string;
}

const TYPES: Record<string, string> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/**
 * Puts a page together. The same sources give the same bytes. Rejects with an Error that names file
 * and line of what does not compile.
 */
export async function bundlePage(
  { entry, styles, workers = {}, title, noScript }: PageSource,
): Promise<BundledPage> {
  const entryPoints = Object.fromEntries(
    Object.entries({ page: entry, style: styles, ...workers })
      .map(([name, url]) => [name, fileURLToPath(url)]),
  );
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints,
      entryNames: "[name]-[hash]",
      chunkNames: "part-[hash]",
      outdir: "/assets",
      bundle: true,
      splitting: true,
      minify: true,
      write: false,
      format: "esm",
      platform: "browser",
      target: "es2022",
      charset: "utf8",
      legalComments: "eof",
      jsx: "automatic",
      jsxImportSource: "preact",
      logLevel: "silent",
      plugins: [packages],
    });
    const assets = outputFiles.map(({ path, contents }) => ({
      name: basename(path),
      type: TYPES[path.split(".").pop()!]!,
      content: new Uint8Array(contents),
    }));
    const fileOf = (name: string) =>
      assets.find((asset) => asset.name.startsWith(`${name}-`))!.name;
    const workerFiles = Object.keys(workers).map((name) => [name, fileOf(name)] as const);
    const document = documentOf({
      title,
      noScript,
      script: fileOf("page"),
      style: fileOf("style"),
      workerFiles,
    });
    return { assets, document };
  } finally {
    // Its process would keep this one from ending.
    await esbuild.stop();
  }
}

/**
 * No word of the page stands in the document: all of it is drawn by the script, and in the language
 * of its texts.
 */
function documentOf({ title, noScript, script, style, workerFiles }: {
  title: string;
  noScript: string;
  script: string;
  style: string;
  workerFiles: (readonly [name: string, file: string])[];
}): string {
  const workers = workerFiles.map(([name, file]) => ` data-worker-${name}="assets/${file}"`).join(
    "",
  );
  return `<!doctype html>
<html lang="en"${workers}>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="assets/${style}">
<script type="module" src="assets/${script}"></script>
<body>
<div id="page"></div>
<noscript>${noScript}</noscript>
</html>
`;
}

/**
 * Finds packages where Deno keeps them. Those that `deno.json` names are there once, whoever
 * imports them: two copies of Preact would not know each other's components.
 */
const packages: esbuild.Plugin = {
  name: "packages",
  setup(build) {
    build.onResolve({ filter: /^(@?[a-z])/ }, ({ path, kind, importer }) => {
      if (kind === "entry-point" || /^(node|data|https?):/.test(path)) return undefined;
      return { path: ownPackage(path) ?? createRequire(importer).resolve(path) };
    });
    // Error texts in some fifty languages, of which the page uses none.
    build.onLoad({ filter: /[\\/]zod[\\/].*[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export {};",
      loader: "js",
    }));
  },
};

function ownPackage(name: string): string | undefined {
  try {
    const url = import.meta.resolve(name);
    return url.startsWith("file:") ? fileURLToPath(url) : undefined;
  } catch {
    return undefined;
  }
}
