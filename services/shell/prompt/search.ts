/**
 * Ctrl-R: the history, searched while it is typed for what. Deno's `node:readline` has none.
 * @module
 */

/** A key, as `node:readline` tells it. */
interface Key {
  name?: string;
  sequence?: string;
  ctrl?: boolean;
  meta?: boolean;
}

/** The parts of a `node:readline` interface that a search needs; its types leave some out. */
export interface EditedLine {
  line: string;
  cursor: number;
  /** The newest first. */
  history: string[];
  getPrompt(): string;
  setPrompt(prompt: string): void;
  _ttyWrite(text: string | undefined, key: Key): void;
  _refreshLine(): void;
}

/** Makes Ctrl-R search; Ctrl-R again looks further back, Escape gives the line back as it was. */
export function searchHistory(reader: EditedLine): void {
  let search: { wanted: string; from: number; line: string; prompt: string } | undefined;
  const pass = reader._ttyWrite.bind(reader);

  reader._ttyWrite = function searchOrPass(text, key) {
    const { name, ctrl, meta } = key;
    const again = ctrl && name === "r";
    if (!search) {
      if (!again) return pass(text, key);
      search = { wanted: "", from: 0, line: reader.line, prompt: reader.getPrompt() };
    } else if (again) search.from++;
    else if (name === "backspace") {
      Object.assign(search, { wanted: search.wanted.slice(0, -1), from: 0 });
    } else if (text && !ctrl && !meta && text >= " ") search.wanted += text;
    else return leave(text, key);
    show(search);
  };

  function show({ wanted, from, line, prompt }: NonNullable<typeof search>): void {
    const at = wanted === ""
      ? -1
      : reader.history.findIndex((one, place) => place >= from && one.includes(wanted));
    if (search && at >= 0) search.from = at;
    put(at < 0 ? line : reader.history[at]!, at < 0 && wanted !== "" ? "nothing" : "search");
    function put(shown: string, what: string): void {
      reader.setPrompt(`(${what}: ${wanted}) ${prompt}`);
      reader.line = shown;
      reader.cursor = Math.max(shown.indexOf(wanted), 0);
      reader._refreshLine();
    }
  }

  /**
   * The line is what was found, unless that was not wanted; the key then does what it always does.
   */
  function leave(text: string | undefined, key: Key): void {
    const { line, prompt } = search!;
    search = undefined;
    reader.setPrompt(prompt);
    const unwanted = key.name === "escape" || (key.ctrl && key.name === "g");
    if (unwanted) reader.line = line;
    reader.cursor = reader.line.length;
    reader._refreshLine();
    if (!unwanted) pass(text, key);
  }
}
