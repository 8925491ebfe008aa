import { administration } from "../texts/administration.ts";

const words = administration.rules;

/** A rule in words: `create tasks in own collaborations`. */
export function ruleWord(
  { name, operation, scope }: { name: string; operation: string; scope: string },
): string {
  return words.sentence({
    noun: words.nouns[name] ?? name,
    operation: words.operations[operation] ?? operation,
    scope: words.scopes[scope] ?? scope,
  });
}
