/**
 * What of a result goes to the page at once: the beginning, whatever its size.
 * @module
 */
import type { Cell, Picture, Piece, Title } from "../read/pieces.ts";
import type { ShownPiece } from "./calls.ts";

export const FIRST_ROWS = 12;
const MOST_COLUMNS = 50;
const LONGEST = 500;
const LONGEST_NAME = 120;
const MOST_PIECES = 100;

export function shownPieces(pieces: readonly Piece[]): ShownPiece[] {
  return pieces.slice(0, MOST_PIECES).map((piece): ShownPiece => {
    const title = clippedTitle(piece.title);
    if (piece.is === "tree") return { ...piece, title };
    const { table: { columns, rows }, picture } = piece;
    return {
      ...piece,
      title,
      table: {
        columns: columns.slice(0, MOST_COLUMNS).map(clippedText),
        rows: clippedRows(rows.slice(0, FIRST_ROWS)),
      },
      rows: rows.length,
      columns: columns.length,
      picture: picture && clippedPicture(picture),
    };
  });
}

export function clippedRows(rows: readonly (readonly Cell[])[]): Cell[][] {
  return rows.map((row) => row.slice(0, MOST_COLUMNS).map(clippedCell));
}

export function clippedText(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function clippedCell(cell: Cell): Cell {
  if (typeof cell === "string") return clippedText(cell);
  if (typeof cell === "bigint") {
    const digits = String(cell);
    return digits.length > LONGEST ? clippedText(digits) : cell;
  }
  return typeof cell === "object" && cell !== null ? { json: clippedText(cell.json) } : cell;
}

function clippedTitle(title: Title): Title {
  return "of" in title ? { of: clippedText(title.of) } : title;
}

function clippedName(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}

function clippedPicture(picture: Picture): Picture {
  const named = <One extends { name: string }>(list: One[]) =>
    list.map((one) => ({ ...one, name: clippedName(one.name) }));
  switch (picture.is) {
    case "forest":
      return { ...picture, estimates: named(picture.estimates) };
    case "survival":
      return { ...picture, groups: named(picture.groups) };
    case "bars":
      return { ...picture, bars: named(picture.bars) };
    case "profile":
      return {
        ...picture,
        columns: picture.columns.map(clippedName),
        series: named(picture.series),
      };
    case "shares":
      return {
        ...picture,
        rows: picture.rows.map(clippedName),
        columns: picture.columns.map(clippedName),
      };
    default:
      return picture;
  }
}
