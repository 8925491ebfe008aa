/**
 * The frame of a picture: as wide as its place, so that its words stay readable on a phone.
 * @module
 */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

const NARROWEST = 260;
const WIDEST = 860;

export function Drawing({ label, children }: {
  /** What the picture says, in a sentence. */
  label: string;
  children: (width: number) => { height: number; content: ComponentChildren };
}) {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  useLayoutEffect(() => {
    const measure = () => {
      const room = place.current?.clientWidth ?? 0;
      if (room > 0) setWidth(Math.round(Math.min(WIDEST, Math.max(NARROWEST, room))));
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(place.current!);
    return () => watcher.disconnect();
  }, []);
  const { height, content } = children(width);
  return (
    <div class="drawing" ref={place}>
      <svg
        role="img"
        aria-label={label}
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
      >
        {content}
      </svg>
    </div>
  );
}

/** Of a letter, about: what is drawn cannot be measured before. */
const LETTER = 6.7;

/** A text that has room in so many pixels. */
export function fitted(text: string, room: number): string {
  const most = Math.max(1, Math.floor(room / LETTER));
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}

export function widthOf(text: string): number {
  return [...text].length * LETTER;
}

/** Lines are told apart by their dashes, too. */
export const DASHES = [undefined, "7 4", "2 3", "10 3 2 3", "4 2", "1 4"];

/** The class that says which colour a series has. */
export function seriesClass(index: number): string {
  return `series s${index % DASHES.length + 1}`;
}
