import { Plain } from "./plain.tsx";

/** What a screen is of: also of one that has nothing to show yet, or failed. */
export function Heading({ text }: { text: string }) {
  return (
    <header>
      <h1>
        <Plain text={text} />
      </h1>
    </header>
  );
}
