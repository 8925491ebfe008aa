import assert from "node:assert/strict";
import { MAX_REPORT } from "../../../shared/node_protocol/limits.ts";
import { temporaryFolder } from "../../../tests/harness.ts";
import { blobOf } from "../encryption/blob.ts";
import {
  inputLabel,
  KEYS,
  publicKeyOfOrganization,
  signedSeal,
  unsignedSeal,
} from "../../../tests/support/payloads.ts";
import { ANY_UNSIGNED, openSealed } from "../encryption/sealed.ts";
import { type ContentFile, PIECE, writePieces } from "../payload/pieces.ts";
import { encodeReport, splitReport, writeFinishReport } from "./finish_report.ts";

type Bytes = Uint8Array<ArrayBuffer>;

async function open(payload: string | Bytes): Promise<Bytes> {
  const signed = () => Promise.resolve(publicKeyOfOrganization(3));
  const { content } = await openSealed(payload, KEYS[4]!, { ...ANY_UNSIGNED, signed });
  return new Uint8Array(content);
}

const HEAD = { agent_id: "a", result_id: 7, attempt: 1 };
const SIZES = [0, 1, 2, 3, PIECE - 17, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 2];
/** Of which the mark before the payload is to be found at a border between two pieces. */
const LOGS = ["", `,"result":"`, ...[0, 1, 5, 10].map((less) => "x".repeat(PIECE - 100 - less))];

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await use(folder.path);
  } finally {
    await folder.remove();
  }
}

function contentFile(path: string, bytes: Bytes): Promise<ContentFile> {
  return writePieces(
    path,
    (async function* () {
      yield bytes;
    })(),
  );
}

const bytesOf = (size: number) => new Uint8Array(size).map((_, at) => at * 7 % 251);

async function read(pieces: AsyncIterable<Bytes>): Promise<Bytes> {
  const all: number[] = [];
  for await (const piece of pieces) for (const byte of piece) all.push(byte);
  return new Uint8Array(all);
}

Deno.test("writeFinishReport() writes JSON whose payload can be taken out as its blob, plain or sealed", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/report`;
    for (const [index, size] of SIZES.entries()) {
      const content = bytesOf(size);
      const result = await contentFile(`${folder}/result`, content);
      const log = LOGS[index % LOGS.length]!;
      for (const format of [undefined, "field", "authenticated"] as const) {
        const seal = format === "field"
          ? unsignedSeal(4)
          : format
          ? signedSeal(inputLabel())
          : null;
        const run = { status: "completed", result, log, reason: null, seal } as const;
        await writeFinishReport(path, HEAD, run);
        const report = JSON.parse(await Deno.readTextFile(path));
        const { head, part } = await splitReport(path);
        assert.deepEqual({ ...head, result: report.result }, report);
        assert.deepEqual(head, { ...HEAD, status: "completed", log, reason: null });
        const blob = await blobOf(part!);
        const bytes = await read(blob.pieces());
        assert.equal(bytes.length, blob.size, `${format} ${size}`);
        assert.deepEqual(await read(blob.pieces()), bytes, "it can be read again");
        if (!format) {
          assert.equal(report.result, content.toBase64());
          assert.equal(new TextDecoder().decode(bytes), report.result);
          continue;
        }
        assert.deepEqual(await open(report.result), content);
        assert.deepEqual(await open(bytes), content);
      }
    }
  });
});

Deno.test("writeFinishReport() refuses a result that is not what it was when the run ended", async () => {
  await withFolder(async (folder) => {
    const result = await contentFile(`${folder}/result`, bytesOf(PIECE + 1));
    const write = () =>
      writeFinishReport(`${folder}/report`, HEAD, {
        status: "completed",
        result,
        log: null,
        reason: null,
      });
    await Deno.writeFile(result.path, bytesOf(PIECE + 1).fill(1, 5, 6));
    await assert.rejects(write(), /is not what it was/);
    await Deno.truncate(result.path, PIECE);
    await assert.rejects(write(), /shorter than it was/);
  });
});

Deno.test("writeFinishReport() leaves an earlier report whole until the new one is", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/report`;
    const run = { status: "completed", result: null, log: null, reason: null } as const;
    await writeFinishReport(path, HEAD, run);
    const before = await Deno.readTextFile(path);
    const result = await contentFile(`${folder}/result`, bytesOf(PIECE));
    await Deno.truncate(result.path, PIECE - 1);
    await assert.rejects(writeFinishReport(path, HEAD, { ...run, result }), /shorter than it was/);
    assert.equal(await Deno.readTextFile(path), before);
    await writeFinishReport(path, HEAD, { ...run, status: "failed", reason: "so" });
    assert.equal(JSON.parse(await Deno.readTextFile(path)).status, "failed");
  });
});

Deno.test("a report without a payload stays whole, and its log is cut to what a message holds", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/report`;
    const log = "😀\n".repeat(300_000);
    await writeFinishReport(path, HEAD, { status: "failed", result: null, log, reason: "so" });
    const { head, part } = await splitReport(path);
    assert.equal(part, null);
    assert.deepEqual(head, JSON.parse(await Deno.readTextFile(path)));
    assert.deepEqual(JSON.parse(new TextDecoder().decode(encodeReport(head, 1e7))), head);
    const bytes = encodeReport(head, MAX_REPORT);
    assert.ok(bytes.length <= MAX_REPORT && bytes.length > 700 * 1024, String(bytes.length));
    const cut = JSON.parse(new TextDecoder().decode(bytes));
    assert.match(
      cut.log,
      /^(😀\n)+.*\n?\[The log was cut here: it is too long for a report\.\]\n\S?\n?(😀\n)+$/u,
    );
    assert.deepEqual({ ...cut, log }, head);
  });
});
