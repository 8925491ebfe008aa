/**
 * What an import did, or would do.
 * @module
 */
import { harmless } from "../errors.ts";

export class ImportReport {
  readonly #created: string[] = [];
  readonly #changed: { what: string; fields: string[] }[] = [];
  readonly #unchanged: string[] = [];
  readonly #warnings: string[];

  constructor(readonly dryRun: boolean, warnings: string[]) {
    this.#warnings = [...warnings];
  }

  created(what: string): void {
    this.#created.push(what);
  }

  changed(what: string, fields: string[]): void {
    this.#changed.push({ what, fields });
  }

  unchanged(what: string): void {
    this.#unchanged.push(what);
  }

  warn(line: string): void {
    this.#warnings.push(line);
  }

  toJSON() {
    return {
      dry_run: this.dryRun,
      created: this.#created,
      changed: this.#changed,
      unchanged: this.#unchanged,
      warnings: this.#warnings,
    };
  }

  toString(): string {
    const [created, changed] = this.dryRun
      ? ["would create", "would change"]
      : ["created", "changed"];
    return harmless([
      ...this.#warnings.map((one) => `warning: ${one}`),
      ...this.#created.map((one) => `${created} ${one}`),
      ...this.#changed.map(({ what, fields }) => `${changed} ${what}: ${fields.join(", ")}`),
      `${this.#created.length} ${created.replace("would create", "to create")}, ` +
      `${this.#changed.length} ${changed.replace("would change", "to change")}, ` +
      `${this.#unchanged.length} left alone` + (this.dryRun ? "; nothing was written" : ""),
    ].join("\n"));
  }

  [Symbol.for("Deno.customInspect")](): string {
    return this.toString();
  }
}
