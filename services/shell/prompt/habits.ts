/**
 * Habits of Python at the prompt: the page that operators know shows a Python shell. What is typed
 * in its way and cannot work is answered with the line that does.
 * @module
 */
import { MODEL_NAMES } from "../models/description.ts";

/** Names of Python's own, and what to type instead. */
const NAMES: Record<string, string> = {
  None: "write undefined, or null",
  True: "write true",
  False: "write false",
  print: "write only the value, or console.log(value)",
  len: "write list.length, such as (await db.User.get()).length",
  help: "write db.help(), or db.Organization.help()",
  exit: "write exit alone on a line",
  str: "write String(value)",
  int: "write Number(value)",
};

const KEYWORDS = new RegExp(
  String.raw`\b(?:new\s+)?(db\.(?:${MODEL_NAMES.join("|")}))` +
    String.raw`\(\s*(\w+\s*=(?![=>])[^]*?)\)(\.save\(\))?\s*;?\s*$`,
);
const APPEND = /^\s*([\w.]+)\.(\w+)\.append\((.+)\)\s*;?\s*$/;
const COMPREHENSION = /\[\s*(.+?)\s+for\s+(\w+)\s+in\s+(.+?)(?:\s+if\s+(.+?))?\s*\]/;
const VALUES: Record<string, string> = { True: "true", False: "false", None: "null" };

/** What to type instead of a statement that would do something else than it does in Python. */
export function beforeEvaluation(statement: string): string | undefined {
  const [append, record, relation, one] = APPEND.exec(statement) ?? [];
  if (append) {
    return `a relation is assigned as a whole here: ` +
      `${record}.${relation} = [...(await ${record}.${relation}), ${one}]`;
  }
  const [call, model, values, save = ""] = KEYWORDS.exec(statement) ?? [];
  if (!call) return undefined;
  const named = values!
    .replace(/(^|,\s*)(\w+)\s*=(?!=)\s*/g, "$1$2: ")
    .replace(/: (True|False|None)\b/g, (_, value) => `: ${VALUES[value]}`);
  const right = `new ${model}({${named.trim().replace(/,$/, "")}})${save}`;
  return `values are given by name in braces here: ${statement.replace(call, right).trim()}`;
}

/** What to type instead of a statement that has failed; `undefined` when it is no habit. */
export function afterFailure(statement: string, error: unknown): string | undefined {
  const name = error instanceof Error && /^(\w+) is not defined$/.exec(error.message)?.[1];
  if (name && Object.hasOwn(NAMES, name)) return `${name} is Python's: ${NAMES[name]}`;
  if (!/^Syntax error/.test((error as Error)?.message ?? "")) return undefined;
  const [comprehension, value, variable, list, condition] = COMPREHENSION.exec(statement) ?? [];
  if (comprehension) {
    const held = /^\w+$/.test(list!) ? list : `(await ${list})`;
    const filter = condition ? `.filter((${variable}) => ${condition})` : "";
    const map = value === variable ? "" : `.map((${variable}) => ${value})`;
    const right = statement.replace(comprehension, `${held}${filter}${map}`).trim();
    return `lists are made with filter and map here: ${right}`;
  }
  if (/(^|\s)#/.test(statement)) return "a comment begins with // here";
  return undefined;
}
