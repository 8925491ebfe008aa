/**
 * The key and the results that were opened with it, in the worker's memory. The page gets the first
 * rows of tables and the beginnings of texts, and asks for more.
 * @module
 */
import { readContent } from "../../../client/tasks/outcome.ts";
import {
  type OrganizationKey,
  readOrganizationKey,
} from "../../../client/keys/organization_key.ts";
import { type Bytes, collect, piecesOfStream } from "../../../client/payloads/bytes.ts";
import { type OpenOptions, openPayload, type Stored } from "../../../client/payloads/open.ts";
import { KeyError } from "../../../client/errors.ts";
import { UnreadableError } from "../../../../shared/payload/unreadable_error.ts";
import { csvOf } from "../csv.ts";
import type { Path, Reading } from "../read/pieces.ts";
import { readResult } from "../read/read_result.ts";
import { cellOf, isPlain, isRecord } from "../read/values.ts";
import type { FileRequest, Opened, Opening, PageCalls, StoredPayload } from "./calls.ts";
import type { TreeNode, WorkerCalls } from "./calls.ts";
import type { Remote } from "./port.ts";
import { clippedRows, clippedText, shownPieces } from "./shown.ts";
import { methodsThatFit, readAsked } from "./which_method.ts";

/** Of what is no JSON. */
const LONGEST_TEXT = 20_000;
const MOST_SMALL = 8;
/** A question of more tells more than which method is meant. */
const LARGEST_INPUT = 2 ** 22;

interface Held {
  content: Bytes;
  value: unknown;
  reading: Reading;
}

export function createHolder(page: () => Remote<PageCalls>): WorkerCalls {
  const held = new Map<number, Held>();
  let key: OrganizationKey | undefined;

  function of(id: number): Held {
    const found = held.get(id);
    if (!found) throw new Error("This result is not open any more.");
    return found;
  }

  async function contentOf(
    stored: StoredPayload,
    { id, of, encrypted, signedOnly = false }: {
      id: number;
      of: "result" | "input";
      encrypted: boolean;
      signedOnly?: boolean;
    },
  ): Promise<Bytes> {
    if (encrypted && !key) throw new KeyError("There is no key to open it with.");
    const signer: OpenOptions["signer"] = (label) => page().call("signer", { id, of, label });
    return await collect(
      openPayload(storedOf(stored), { key: encrypted ? key : undefined, signer, signedOnly }),
    );
  }

  async function askedOf({ id, input, encrypted }: Opening) {
    if (!input || sizeOf(input) > LARGEST_INPUT) return undefined;
    try {
      return readAsked(readContent(await contentOf(input, { id, of: "input", encrypted })).value);
    } catch {
      // It is of use for drawing alone.
      return undefined;
    }
  }

  return {
    async useKey(file) {
      key = undefined;
      key = await readOrganizationKey(await file.text());
      const { fingerprint, wrappedBytes } = key;
      return { fingerprint, wrappedBytes };
    },
    async sign(bytes) {
      if (!key) throw new KeyError("There is no key to sign with.");
      return await key.sign(bytes);
    },
    async open(opening) {
      const { id, description, encrypted } = opening;
      const content = await contentOf(opening.result, {
        id,
        of: "result",
        encrypted,
        signedOnly: opening.signedOnly,
      });
      if (encrypted && !isText(content)) throw new UnreadableError();
      const { text, value, isJson } = readContent(content);
      const asked = await askedOf(opening);
      const methods = methodsThatFit(value, description);
      const [only] = methods.length === 1 ? methods : [];
      const method = opening.method ?? asked?.method ?? only;
      const described = method !== undefined && description &&
          Object.hasOwn(description.methods, method)
        ? description.methods[method]
        : undefined;
      const reading: Reading = isJson
        ? readResult(value, { method: described, args: asked?.args ?? {} })
        : { pieces: [], withheld: [], notes: [], empty: [] };
      held.set(id, { content, value, reading });
      return {
        size: content.length,
        isJson,
        text: isJson ? "" : text.slice(0, LONGEST_TEXT),
        length: isJson ? 0 : text.length,
        pieces: shownPieces(reading.pieces),
        withheld: reading.withheld,
        notes: reading.notes.map(clippedText),
        empty: reading.empty.map(clippedText),
        method: described ? method : undefined,
        isCertain: asked !== undefined && opening.method === undefined,
        methods,
        small: isJson ? smallOf(value) : undefined,
      };
    },
    close(id) {
      held.delete(id);
    },
    rows({ id, piece, from, count }) {
      const found = of(id).reading.pieces[piece];
      return found?.is === "table" ? clippedRows(found.table.rows.slice(from, from + count)) : [];
    },
    parts: ({ id, path, from, count }) => partsAt(of(id).value, { path, from, count }),
    file: (request) => fileOf(of(request.id), request),
  };
}

function storedOf(stored: StoredPayload): Stored {
  if (stored.in === "text") return stored;
  return { in: "blob", pieces: piecesOfStream(stored.blob.stream()) };
}

function sizeOf(stored: StoredPayload): number {
  return stored.in === "text" ? stored.text.length : stored.blob.size;
}

/** In v6's format a wrong key gives noise, which is no text. */
function isText(content: Bytes): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(content);
    return true;
  } catch {
    return false;
  }
}

function smallOf(value: unknown): Opened["small"] {
  if (isPlain(value)) return [["result", typeof value === "string" ? clippedText(value) : value]];
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > MOST_SMALL) return undefined;
  if (!entries.every(([, one]) => isPlain(one))) return undefined;
  return entries.map(([name, one]) => {
    const cell = cellOf(one);
    return [clippedText(name), typeof cell === "string" ? clippedText(cell) : cell];
  });
}

export function partsAt(
  value: unknown,
  { path, from, count }: { path: Path; from: number; count: number },
): TreeNode[] {
  let place = value;
  for (const step of path) {
    const isThere = typeof place === "object" && place !== null && Object.hasOwn(place, step);
    if (!isThere) return [];
    place = (place as Record<string | number, unknown>)[step];
  }
  if (isPlain(place)) return from === 0 ? [nodeOf("", place)] : [];
  if (Array.isArray(place)) {
    return place.slice(from, from + count).map((one, i) => nodeOf(from + i, one));
  }
  return Object.entries(place as object).slice(from, from + count)
    .map(([name, one]) => nodeOf(name, one));
}

function nodeOf(key: string | number, value: unknown): TreeNode {
  if (isPlain(value)) {
    return { key, is: "plain", size: 0, value: clippedRows([[cellOf(value)]])[0]![0]! };
  }
  if (Array.isArray(value)) return { key, is: "list", size: value.length, value: null };
  return { key, is: "record", size: Object.keys(value as object).length, value: null };
}

function fileOf({ content, reading }: Held, { piece, as }: FileRequest): Blob {
  if (as === "json") return new Blob([content], { type: "application/json" });
  const found = piece === undefined ? undefined : reading.pieces[piece];
  if (found?.is !== "table") throw new Error("This part is no table.");
  return new Blob(csvOf(found.table), { type: "text/csv;charset=utf-8" });
}
