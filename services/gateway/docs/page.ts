/**
 * The page that shows the API: Swagger UI out of its npm package, with nothing from elsewhere.
 *
 * The files are imported as text when somebody asks for them: so they are fetched with all other
 * modules, and this process needs no right to read the folder of packages. What the package would
 * run when it is installed (a count of its users, `@scarf/scarf`) is denied in `deno.json`.
 * @module
 */

/** Nothing from elsewhere, and no script or style but the files below. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

interface PageFile {
  type: string;
  load: () => Promise<{ default: string }>;
}

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";
const TEXT = "text/plain; charset=utf-8";

const FILES: Record<string, PageFile> = {
  "start.js": {
    type: SCRIPT,
    load: () => import("./start.js", { with: { type: "text" } }),
  },
  "swagger-ui-bundle.js": {
    type: SCRIPT,
    load: () => import("swagger-ui-dist/swagger-ui-bundle.js", { with: { type: "text" } }),
  },
  "swagger-ui.css": {
    type: STYLE,
    load: () => import("swagger-ui-dist/swagger-ui.css", { with: { type: "text" } }),
  },
  // Whoever hands Swagger UI on hands its licence on.
  "LICENSE": {
    type: TEXT,
    load: () => import("swagger-ui-dist/LICENSE", { with: { type: "text" } }),
  },
  "NOTICE": {
    type: TEXT,
    load: () => import("swagger-ui-dist/NOTICE", { with: { type: "text" } }),
  },
  "swagger-ui-bundle.js.LICENSE.txt": {
    type: TEXT,
    load: () =>
      import("swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt", { with: { type: "text" } }),
  },
};

export async function pageText(): Promise<string> {
  const { default: text } = await import("./page.html", { with: { type: "text" } });
  return text;
}

/** A file of the page by its name; `undefined` when there is none. */
export async function pageFile(name: string): Promise<{ type: string; text: string } | undefined> {
  const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  return file && { type: file.type, text: (await file.load()).default };
}
