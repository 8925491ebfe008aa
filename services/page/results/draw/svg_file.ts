/**
 * A picture as a file of its own: with its colours and letters in it, on a background, as it looks
 * here now.
 * @module
 */

const PROPERTIES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linecap",
  "font-family",
  "font-size",
  "font-weight",
  "font-variant-numeric",
];
const NAMESPACE = "http://www.w3.org/2000/svg";

export function svgFileOf(drawn: SVGSVGElement, title: string): Blob {
  const copy = drawn.cloneNode(true) as SVGSVGElement;
  const originals = [...drawn.querySelectorAll<SVGElement>("*")];
  const copies = [...copy.querySelectorAll<SVGElement>("*")];
  for (const [index, element] of copies.entries()) {
    const style = getComputedStyle(originals[index]!);
    for (const name of element.tagName === "title" ? [] : PROPERTIES) {
      const value = style.getPropertyValue(name);
      if (value) element.setAttribute(name, value);
    }
    element.removeAttribute("class");
  }
  const { width, height } = drawn.viewBox.baseVal;
  copy.setAttribute("xmlns", NAMESPACE);
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  const name = document.createElementNS(NAMESPACE, "title");
  name.textContent = title;
  const ground = document.createElementNS(NAMESPACE, "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", groundOf(drawn));
  copy.prepend(name, ground);
  const text = new XMLSerializer().serializeToString(copy);
  return new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${text}\n`], { type: "image/svg+xml" });
}

/** The colour that it stands on. */
function groundOf(element: Element): string {
  for (let one: Element | null = element; one; one = one.parentElement) {
    const { backgroundColor } = getComputedStyle(one);
    if (backgroundColor && !/^(transparent|rgba\(0, 0, 0, 0\))$/.test(backgroundColor)) {
      return backgroundColor;
    }
  }
  return "white";
}
