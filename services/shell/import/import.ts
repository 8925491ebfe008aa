/**
 * `db.import(path)`: brings the databases to what a file says, all of it or nothing. What the file
 * does not mention is left alone, so that the same file a second time changes nothing.
 * @module
 */
import * as operator from "../../identity/operator.ts";
import { changeServices } from "../change.ts";
import { ShellError } from "../errors.ts";
import type { Shell } from "../shell.ts";
import { type ImportDocument, readImportFile } from "./file.ts";
import { importCollaboration } from "./import_collaboration.ts";
import { importOrganization } from "./import_organization.ts";
import { ImportReport } from "./report.ts";
import { createSettling } from "./settle.ts";

export interface ImportOptions {
  /** Only says what would change. */
  dryRun?: boolean;
  /** Refuses a file with keys that are not known. */
  strict?: boolean;
}

/** Thrown to have everything rolled back after it was tried. */
class OnlyTried extends Error {}

export async function importFile(
  shell: Shell,
  path: unknown,
  { dryRun = false, strict = false }: ImportOptions = {},
): Promise<ImportReport> {
  if (typeof path !== "string") throw new ShellError(`db.import takes a path, such as "file.yaml"`);
  const file = await readImportFile(path, { strict });
  const report = new ImportReport(dryRun, file.warnings);
  try {
    const nodes = await importAll(shell, { file, path, report, dryRun });
    await shell.broker?.shutOut(nodes);
  } catch (error) {
    if (!(error instanceof OnlyTried)) throw error;
  }
  return report;
}

interface ImportAllOptions {
  file: ImportDocument;
  path: string;
  report: ImportReport;
  dryRun: boolean;
}

/** Returns the nodes that are to be shut out, because their key is another now. */
function importAll(shell: Shell, { file, path, report, dryRun }: ImportAllOptions) {
  return changeServices(shell, ["identity", "collaboration", "task"], async (changes) => {
    const { tx } = changes.identity;
    const administered = (await operator.administrators(tx)).length > 0;
    const settling = createSettling({ changes, file, path, report, now: shell.now });
    for (const [place, entry] of file.organizations.entries()) {
      await importOrganization(settling, entry, ["organizations", place]);
    }
    for (const [place, entry] of file.collaborations.entries()) {
      await importCollaboration(settling, entry, ["collaborations", place]);
    }
    if (administered) await operator.requireAdministrator(tx);
    if (dryRun) throw new OnlyTried();
    return settling.shutOut;
  });
}
