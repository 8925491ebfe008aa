/**
 * The page for the owner of a node, served by its agent on its own machine.
 * @module
 */
import { render } from "preact";
import { Entrance } from "./entrance.tsx";
import { Frame } from "./frame.tsx";
import { begin, isInside } from "./session.ts";

function App() {
  if (isInside.value === undefined) return null;
  return isInside.value ? <Frame /> : <Entrance />;
}

render(<App />, document.getElementById("page")!);
await begin();
