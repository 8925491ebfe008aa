/**
 * Whether a piece of code ends inside of brackets, a template or a comment.
 * @module
 */

const CLOSING: Record<string, string> = { "(": ")", "[": "]", "{": "}" };
/** What is skipped as a whole: comments, texts, and regular expressions where one can stand. */
const SKIPPED =
  /\/\/.*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(?<=(?:^|[=(,:;!&|?{}\n])\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y;

/** `false` too when brackets do not match: no further line could mend that. */
export function isOpen(code: string): boolean {
  const expected: string[] = [];
  for (let at = 0; at < code.length; at++) {
    const inTemplate = expected.at(-1) === "`";
    const character = code[at]!;
    if (inTemplate) {
      if (character === "\\") at++;
      else if (character === "`") expected.pop();
      else if (code.startsWith("${", at)) expected.push("}"), at++;
      continue;
    }
    SKIPPED.lastIndex = at;
    const skipped = SKIPPED.exec(code)?.[0];
    if (skipped) at += skipped.length - 1;
    else if (code.startsWith("/*", at)) return true;
    else if (character === "`") expected.push("`");
    else if (character in CLOSING) expected.push(CLOSING[character]!);
    else if (")]}".includes(character) && expected.pop() !== character) return false;
  }
  return expected.length > 0;
}
