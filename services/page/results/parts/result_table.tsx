/**
 * The numbers of a result as a table, more of whose rows can be asked for.
 * @module
 */
import { useState } from "preact/hooks";
import { Failure } from "../../parts/loading.tsx";
import { Plain } from "../../parts/plain.tsx";
import { visible } from "../../parts/visible.ts";
import { texts } from "../../texts.ts";
import { useNames } from "../organization_names.ts";
import type { Cell, Table } from "../read/pieces.ts";
import { numberText } from "./numbers.ts";

const words = texts.results;

/** The library's name of columns with ids of organizations. */
const ORGANIZATION = "organization";

interface ResultTableProps {
  caption: string;
  table: Table;
  /** How many there are in all. */
  rows: number;
  columns?: number;
  /** Asks for rows from that one on. */
  more?: (from: number) => Promise<Cell[][]>;
}

export function ResultTable({ caption, table, rows, columns, more }: ResultTableProps) {
  const [added, setAdded] = useState<Cell[][]>([]);
  const [error, setError] = useState<unknown>();
  const shown = [...table.rows, ...added];
  const isNumeric = table.columns.map((name, i) =>
    name !== ORGANIZATION &&
    shown.every((row) => row[i] === null || isNumber(row[i])) &&
    shown.some((row) => isNumber(row[i]))
  );

  async function addMore(): Promise<void> {
    try {
      const next = await more!(shown.length);
      setAdded((before) => [...before, ...next]);
      setError(undefined);
    } catch (reason) {
      setError(reason);
    }
  }

  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
        <table class="result-table">
          <caption>{caption}</caption>
          <thead>
            <tr>
              {table.columns.map((name, i) => (
                <th key={i} scope="col" class={isNumeric[i] ? "number" : undefined}>
                  <Plain text={name} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, index) => (
              <tr key={index}>
                {row.map((cell, i) => (
                  <CellView
                    key={i}
                    cell={cell}
                    isHeading={i === 0 && typeof cell === "string"}
                    isNumeric={isNumeric[i]!}
                    isOrganization={table.columns[i] === ORGANIZATION}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {error !== undefined && <Failure error={error} />}
      {rows > shown.length && more && (
        <button
          type="button"
          class="plain"
          onClick={() => void addMore()}
        >
          {words.moreRows(rows - shown.length)}
        </button>
      )}
      {columns !== undefined && columns > table.columns.length && (
        <p class="quiet">{words.moreColumns(columns - table.columns.length)}</p>
      )}
    </>
  );
}

function CellView({ cell, isHeading, isNumeric, isOrganization }: {
  cell: Cell;
  isHeading: boolean;
  isNumeric: boolean;
  /** An id of one is shown by its name. */
  isOrganization: boolean;
}) {
  const nameOf = useNames();
  if (isOrganization && typeof cell === "number") return <th scope="row">{nameOf(cell)}</th>;
  if (isHeading) {
    return (
      <th scope="row">
        <Plain text={cell as string} />
      </th>
    );
  }
  if (typeof cell === "number" || typeof cell === "bigint") {
    const text = numberText(cell);
    const exact = String(cell);
    return <td class="number" title={text === exact ? undefined : exact}>{text}</td>;
  }
  return (
    <td class={isNumeric ? "number" : undefined}>
      {cell === null
        ? <span class="quiet" title={words.noValue}>–</span>
        : typeof cell === "object"
        ? (
          <code>
            <Plain text={cell.json} />
          </code>
        )
        : <Plain text={String(cell)} />}
    </td>
  );
}

function isNumber(cell: Cell | undefined): boolean {
  return typeof cell === "number" || typeof cell === "bigint";
}

/** A cell as text alone. */
export function cellLabel(cell: Cell): string {
  if (cell === null) return "–";
  if (typeof cell === "number" || typeof cell === "bigint") return numberText(cell);
  return visible(typeof cell === "object" ? cell.json : String(cell));
}
