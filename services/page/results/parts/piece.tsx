/**
 * A part of a result: its picture, where there is one, with the numbers beside it.
 * @module
 */
import { useRef } from "preact/hooks";
import { Plain } from "../../parts/plain.tsx";
import { visible } from "../../parts/visible.ts";
import { texts } from "../../texts.ts";
import { PictureView } from "../draw/picture.tsx";
import { svgFileOf } from "../draw/svg_file.ts";
import { results } from "../opener.ts";
import { useNames } from "../organization_names.ts";
import type { Title } from "../read/pieces.ts";
import type { ShownPiece } from "../worker/calls.ts";
import { ResultTable } from "./result_table.tsx";
import { Save, SaveMade } from "./save.tsx";
import { Tree } from "./tree.tsx";

const words = texts.results;
const MORE = 200;

export function ShownPieceView({ id, index, piece }: {
  /** Of the result. */
  id: number;
  /** Which of its pieces it is. */
  index: number;
  piece: ShownPiece;
}) {
  const drawing = useRef<HTMLDivElement>(null);
  const nameOf = useNames();
  const title = titleText(piece.title);
  if (piece.is === "tree") {
    return (
      <section class="piece">
        <h4>{title}</h4>
        <Tree id={id} path={piece.path} />
      </section>
    );
  }
  const { picture, table, rows, columns, help } = piece;
  const file = `result-${id}-${index + 1}`;
  return (
    <section class="piece">
      {picture && (
        <figure>
          <figcaption>
            <h4>{title}</h4>
            {help !== undefined && (
              <p class="quiet">
                <Plain text={help} />
              </p>
            )}
          </figcaption>
          <div ref={drawing}>
            <PictureView picture={picture} title={title} nameOf={nameOf} />
          </div>
        </figure>
      )}
      <div>
        <ResultTable
          caption={picture ? words.numbersOf(title) : title}
          table={table}
          rows={rows}
          columns={columns}
          more={(from) => results().call("rows", { id, piece: index, from, count: MORE })}
        />
        <div class="buttons">
          <Save
            of={{ id, piece: index, as: "csv" }}
            label={words.saveTable(title)}
            text={words.csv}
            file={`${file}.csv`}
          />
          {picture && (
            <SaveMade
              label={words.savePicture(title)}
              text={words.svg}
              file={`${file}.svg`}
              make={() => svgFileOf(drawing.current!.querySelector("svg")!, title)}
            />
          )}
        </div>
      </div>
    </section>
  );
}

function titleText(title: Title): string {
  return "of" in title ? visible(title.of) : words.own[title.own];
}
