import { generate } from "lean-qr";

/**
 * A text as a picture for cameras, drawn as one path; black on white in any colours of the page.
 */
export function QrCode({ text, label }: { text: string; label: string }) {
  const code = generate(text);
  let path = "";
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) if (code.get(x, y)) path += `M${x} ${y}h1v1h-1z`;
  }
  const around = 4; // the standard's quiet zone
  const side = code.size + 2 * around;
  return (
    <svg
      class="qr-code"
      role="img"
      aria-label={label}
      viewBox={`${-around} ${-around} ${side} ${side}`}
      width="200"
      height="200"
      shape-rendering="crispEdges"
    >
      <rect x={-around} y={-around} width={side} height={side} fill="#ffffff" />
      <path d={path} fill="#000000" />
    </svg>
  );
}
