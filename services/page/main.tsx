/**
 * The page for people: a client of the hub's API, and of nothing else.
 * @module
 */
import { render } from "preact";
import { App } from "./frame/app.tsx";
import { begin } from "./session/session.ts";

render(<App />, document.getElementById("page")!);
await begin();
