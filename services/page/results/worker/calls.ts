/**
 * What page and worker ask of each other. The worker has the key and the results; the page gets
 * what it shows of them.
 * @module
 */
import type { ToldDescription } from "../../../../shared/node_protocol/description.ts";
import type { Label } from "../../../../shared/payload/label.ts";
import type { RsaPublicKey } from "../../../../shared/payload/rsa_public_key.ts";
import type { OrganizationKey } from "../../../client/keys/organization_key.ts";
import type { Cell, Path, Piece, Table, Withheld } from "../read/pieces.ts";

/** A payload as the hub has it. */
export type StoredPayload = { in: "text"; text: string } | { in: "blob"; blob: Blob };

export interface Opening {
  /** Of the run and its result. */
  id: number;
  result: StoredPayload;
  /** Whether the collaboration is: then the key is needed. */
  encrypted: boolean;
  signedOnly: boolean;
  description: ToldDescription | undefined;
  /** What the organization was asked, where it can be read: it says which method was called. */
  input: StoredPayload | undefined;
  /** The method as which the result is to be read, where a person has said so. */
  method?: string | undefined;
}

/** A piece as it is shown: the first rows of its table. */
export type ShownPiece =
  | Exclude<Piece, { is: "table" }>
  | Extract<Piece, { is: "table" }> & {
    table: Table;
    /** How many rows and columns there are. */
    rows: number;
    columns: number;
  };

export interface Opened {
  /** Bytes. */
  size: number;
  isJson: boolean;
  /** The beginning of what is no JSON, and how many characters there are. */
  text: string;
  length: number;
  pieces: ShownPiece[];
  withheld: Withheld[];
  notes: string[];
  empty: string[];
  /** As which method's the result was read; `undefined` where that is unknown. */
  method: string | undefined;
  /**
   * Whether the question says so; else it follows from the result's parts, or a person chose it.
   */
  isCertain: boolean;
  /** Methods that have such parts. */
  methods: string[];
  /** The result, where it is so small that those of several organizations are one table. */
  small: [string, Cell][] | undefined;
}

/** A place in a result, with the beginning of what is there. */
export interface TreeNode {
  key: string | number;
  is: "list" | "record" | "plain";
  /** How many parts it has. */
  size: number;
  value: Cell;
}

/** Which part of a result is meant: a piece's table, or all of it. */
export interface FileRequest {
  id: number;
  piece?: number;
  as: "csv" | "json";
}

/** What the page knows of the key that the worker holds. */
export type HeldKey = Pick<OrganizationKey, "fingerprint" | "wrappedBytes">;

/** What the worker offers. */
export type WorkerCalls = {
  /** Takes the key, and says which one it is. Rejects with a sentence. */
  useKey(file: Blob): Promise<HeldKey>;
  /** Signs with the key. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  open(opening: Opening): Promise<Opened>;
  /** Forgets a result that nobody looks at any more. */
  close(id: number): void;
  rows(given: { id: number; piece: number; from: number; count: number }): Cell[][];
  parts(given: { id: number; path: Path; from: number; count: number }): TreeNode[];
  file(given: FileRequest): Blob;
};

/** What the page offers. */
export type PageCalls = {
  /** By whose key a signed payload must be signed; rejects where it does not belong. */
  signer(given: { id: number; of: "result" | "input"; label: Label }): Promise<RsaPublicKey>;
};
