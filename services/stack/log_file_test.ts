import assert from "node:assert/strict";
import type { LogEntry } from "../../shared/service/log_text.ts";
import { temporaryFolder } from "../../tests/harness.ts";
import { openLogFile } from "./log_file.ts";

const entry = (message: string): LogEntry => ({ level: "info", message, fields: { id: 1 } });
const now = () => new Date("2030-01-01T00:00:00.000Z");

async function inFolder(body: (folder: string) => void) {
  const folder = await temporaryFolder();
  try {
    body(`${folder.path}/logs`);
  } finally {
    await folder.remove();
  }
}

const read = (path: string) => Deno.readTextFileSync(path).split("\n").filter(Boolean);

Deno.test("the log goes on behind what is there, one JSON object a line, for its owner alone", () =>
  inFolder((folder) => {
    for (const message of ["first", "second"]) {
      const log = openLogFile({ folder, size: 1000, count: 2, say: assert.fail, now });
      log.write("task", entry(message));
      log.close();
    }
    const lines = read(`${folder}/hub.log`).map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ message }) => message), ["first", "second"]);
    assert.deepEqual(lines[0], {
      time: "2030-01-01T00:00:00.000Z",
      level: "info",
      part: "task",
      message: "first",
      id: 1,
    });
    assert.equal(Deno.statSync(`${folder}/hub.log`).mode! & 0o777, 0o600);
  }));

Deno.test("the log keeps so many files of such a size, the newest lines among them", () =>
  inFolder((folder) => {
    const log = openLogFile({ folder, size: 1000, count: 3, say: assert.fail, now });
    for (let n = 0; n < 100; n++) log.write("task", entry(`line ${n}`));
    log.close();
    const files = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assert.deepEqual(files, ["hub.log", "hub.log.1", "hub.log.2"]);
    const kept = files.toReversed().flatMap((name) => read(`${folder}/${name}`));
    const numbers = kept.map((line) => Number(JSON.parse(line).message.split(" ")[1]));
    assert.equal(numbers.at(-1), 99);
    assert.deepEqual(numbers, Array.from(numbers, (_, n) => 100 - numbers.length + n));
    for (const name of files) assert.ok(Deno.statSync(`${folder}/${name}`).size <= 1000);
  }));

Deno.test("a log that cannot be written any more says so once, and goes on when it can", () =>
  inFolder((folder) => {
    const said: string[] = [];
    const say = (line: string) => void said.push(line);
    const log = openLogFile({ folder, size: 100, count: 1, say, now });
    log.write("task", entry("first"));
    Deno.removeSync(folder, { recursive: true });
    // Its turn has come, and there is no folder to begin the next in.
    log.write("task", entry("second"));
    log.write("task", entry("third"));
    assert.equal(said.length, 1, said.join());
    Deno.mkdirSync(folder);
    log.write("task", entry("fourth"));
    log.close();
    assert.match(Deno.readTextFileSync(`${folder}/hub.log`), /fourth/);
  }));
