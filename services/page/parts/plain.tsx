/**
 * Whatever comes from others: shown as text, in a direction of its own, with marks for what nobody
 * would see.
 * @module
 */
import { piecesOf, type VisibleOptions } from "./visible.ts";

/**
 * A name, a value, a log. With `lines` its line ends and tabs are kept. What goes into titles,
 * labels and options is made by `visible` of `visible.ts`.
 */
export function Plain({ text, lines = false }: { text: string } & VisibleOptions) {
  return (
    <bdi class={lines ? "plain lines" : "plain"}>
      {piecesOf(text, { lines }).map((piece, index) =>
        piece.hidden === undefined
          ? piece.text
          : <span key={index} class="hidden-mark" title={piece.hidden}>{piece.text}</span>
      )}
    </bdi>
  );
}
