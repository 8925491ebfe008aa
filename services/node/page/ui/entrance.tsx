import { texts } from "./texts.ts";

const words = texts.entrance;

/** What is shown to who is not in. */
export function Entrance() {
  return (
    <main class="entrance">
      <h1>{words.title}</h1>
      <p role="status">{words.over}</p>
      <p>{words.how}</p>
      <pre class="command">{words.command}</pre>
      <p>{words.then}</p>
    </main>
  );
}
