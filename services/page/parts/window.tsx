/**
 * Long lists of lines of one height, of which only those in sight are in the document.
 * @module
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** Lines beyond each end of what is seen; also how far one scrolls before it is drawn again. */
const SPARE = 20;

export function LineWindow(
  { count, lineHeight, label, children }: {
    count: number;
    /** Pixels. */
    lineHeight: number;
    label: string;
    /** Draws line `index`, at its place. */
    children: (index: number, top: number) => ComponentChildren;
  },
) {
  const box = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const [seen, setSeen] = useState(SPARE);
  useEffect(() => {
    const element = box.current!;
    const watcher = new ResizeObserver(() =>
      setSeen(Math.ceil(element.clientHeight / lineHeight) + 1)
    );
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [lineHeight]);

  function scrolled(): void {
    const line = Math.floor(box.current!.scrollTop / lineHeight);
    setFirst(Math.floor(line / (SPARE / 2)) * (SPARE / 2));
  }

  const from = Math.max(0, Math.min(first, count) - SPARE);
  const till = Math.min(count, first + seen + SPARE * 2);
  const lines: ComponentChildren[] = [];
  for (let index = from; index < till; index++) lines.push(children(index, index * lineHeight));
  return (
    <div
      class="line-window"
      ref={box}
      onScroll={scrolled}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <div class="lines" style={{ height: `${count * lineHeight}px` }}>{lines}</div>
    </div>
  );
}
