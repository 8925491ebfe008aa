/**
 * What an algorithm may import: its own files, `sextant/…`, and npm packages of plain JavaScript.
 * Nothing of Deno or Node.js, for the sandbox has neither.
 *
 * What comes from elsewhere stands in the packed file under its name, not under a path of this
 * machine: else the same algorithm had another digest in every place.
 * @module
 */
import { createRequire, isBuiltin } from "node:module";
import { dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Loader, OnLoadArgs, OnResolveArgs, OnResolveResult, Plugin } from "esbuild";

/** What stands behind `sextant/`. */
const SEXTANT = fileURLToPath(new URL("../algorithms/sextant", import.meta.url));
const NAMESPACE = "from";

/** The plugin for an algorithm whose own files are in `folder`. */
export function packImports(folder: string): Plugin {
  function resolveImport(args: OnResolveArgs): OnResolveResult | undefined {
    const { path, kind, namespace } = args;
    const importer: string = namespace === NAMESPACE ? args.pluginData : args.importer;
    if (kind === "entry-point") return undefined;
    if (kind === "dynamic-import") return refused("an algorithm imports nothing while it runs");
    if (path.startsWith("sextant/")) {
      return ofSextant(join(SEXTANT, path.slice("sextant/".length))) ??
        refused("it leads out of sextant/");
    }
    if (isBuiltin(path)) return refused("the sandbox has nothing of Node.js");
    if (/^[a-z]+:/.test(path)) {
      return refused('"npm install" the package in the folder and write its bare name');
    }
    const isRelative = /^\.{0,2}\//.test(path);
    if (isRelative && isInside(importer, SEXTANT)) {
      return ofSextant(resolve(dirname(importer), path)) ?? refused("it leads out of sextant/");
    }
    if (isRelative && namespace !== NAMESPACE) {
      const isOwn = isInside(resolve(dirname(importer), path), folder);
      return isOwn ? undefined : refused("it leads out of the algorithm's folder");
    }
    return ofPackage(path, importer) ?? refused("there is no such package here");

    function refused(why: string): OnResolveResult {
      return { errors: [{ text: `Cannot import "${path}": ${why}.` }] };
    }
  }

  return {
    name: "imports",
    setup(build) {
      build.onResolve({ filter: /./ }, resolveImport);
      build.onLoad({ filter: /./, namespace: NAMESPACE }, load);
    },
  };
}

async function load({ pluginData: file }: OnLoadArgs) {
  const extension = extname(file).slice(1).replace(/^[cm]/, "");
  return {
    contents: await Deno.readTextFile(file),
    loader: (extension === "" ? "js" : extension) as Loader,
    pluginData: file,
  };
}

function ofSextant(file: string): OnResolveResult | undefined {
  if (!isInside(file, SEXTANT)) return undefined;
  return { namespace: NAMESPACE, path: `sextant/${relative(SEXTANT, file)}`, pluginData: file };
}

/** A file of a package: as the importer would find it, else among this project's packages. */
function ofPackage(name: string, importer: string): OnResolveResult | undefined {
  for (const from of [importer, import.meta.url]) {
    try {
      const file = createRequire(from).resolve(name);
      return { namespace: NAMESPACE, path: nameInPackage(file), pluginData: file };
    } catch {
      // Not from there.
    }
  }
}

/** A file of a package under the package's name and version. */
function nameInPackage(file: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(Deno.readTextFileSync(join(folder, "package.json")));
      if (name && version) return `${name}@${version}/${relative(folder, file)}`;
    } catch {
      // The package's own file is further up.
    }
  }
  return file;
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== "" && !way.startsWith("..");
}
