/**
 * The organizations of an analysis, asked in one round or many. One that withholds what the
 * analysis needs of it is left out from then on, and the result says so.
 * @module
 */
import type { Context } from "./api.ts";
import type { Withheld } from "./disclosure.ts";
import { askParts, type Part, type Question, type SiteWithheld } from "./parts.ts";

export interface Sites {
  /** As `askParts`, of the organizations that are left. */
  ask<T>(question: Pick<Question<T>, "method" | "kwargs" | "read">): Promise<Part<T>[]>;
  /** Says that what was asked so far counts: from now on nobody can be left out any more. */
  settle(): void;
  /**
   * For the result: what was withheld, by organization; an empty list if nothing was. Where no
   * organization has rules there is no such word.
   */
  withheld(): { withheld?: SiteWithheld[] };
  /** Sentences about the organizations that were left out. */
  notes(): string[];
}

export function createSites(context: Context, organizations: number[] | undefined): Sites {
  let asked = organizations;
  let withheld: Map<string, SiteWithheld> | undefined;
  const out = new Map<number, string[]>();
  let isSettled = false;

  function note(organization: number, said: Withheld[], isRead: boolean) {
    withheld ??= new Map();
    // The rounds of an analysis withhold the same again.
    for (const one of said) {
      const key = [organization, one.output, one.rule].join();
      const before = withheld.get(key)?.values ?? 0;
      withheld.set(key, { organization, ...one, values: Math.max(before, one.values) });
    }
    if (isRead) return;
    if (isSettled) {
      throw new Error(
        `Organization ${organization} withholds its part of a round (` +
          `${said.map(({ rule }) => rule).join(", ")}), after it took part in others: leave it ` +
          'out with the argument "organizations".',
      );
    }
    out.set(organization, [...new Set(said.map(({ rule }) => rule))]);
  }

  return {
    async ask(question) {
      const first = out.size;
      const parts = await askParts(context, {
        ...question,
        organizations: asked,
        onWithheld: note,
      });
      if (out.size === first) return parts;
      asked = parts.map(({ organization }) => organization);
      const isEmpty = ({ part }: Part<unknown>) => (part as { n?: unknown } | null)?.n === 0;
      if (!parts.every(isEmpty)) return parts;
      throw new Error(
        `No organization can take part under its rules on what may leave: ${
          [...out].map(([id, rules]) =>
            `organization ${id} withholds its part (${rules.join(", ")})`
          )
            .join(", ")
        }.`,
      );
    },
    settle() {
      isSettled = true;
    },
    withheld: () =>
      withheld
        ? { withheld: [...withheld.values()].sort((a, b) => a.organization - b.organization) }
        : {},
    notes: () =>
      [...out].map(([id, rules]) =>
        `Organization ${id} has no part in this result: its rules on what may leave withhold what ` +
        `it needs (${rules.join(", ")}).`
      ),
  };
}
