/**
 * The API key of a node, which the hub shows this once: it is kept in no address and no store, and
 * gone from the page with this part of it.
 * @module
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { Plain } from "../parts/plain.tsx";
import { HUB_URL } from "../session/tokens.ts";
import { administration } from "../texts/administration.ts";
import { nodeFile, START_NODE } from "./node_file.ts";

const words = administration.newKey;

export function NewKey({ name, apiKey, onDone }: {
  name: string;
  apiKey: string;
  onDone: () => void;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="card once">
      <h2 ref={heading} tabIndex={-1}>
        {words.title} <Plain text={name} />
      </h2>
      <p class="notice warn">{words.once}</p>
      <Copied label={words.key} text={apiKey} />
      <Copied
        label={words.file}
        help={words.fileHelp}
        text={nodeFile({ hubUrl: HUB_URL, apiKey })}
      />
      <Copied label={words.start} text={START_NODE} />
      <button type="button" class="main" onClick={onDone}>{words.done}</button>
    </section>
  );
}

/** A text to take along: by a button, or by hand. */
function Copied({ label, text, help }: { label: string; text: string; help?: string }) {
  const shown = useRef<HTMLPreElement>(null);
  const [said, setSaid] = useState("");
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(words.copied);
    } catch {
      // Where the hub has no TLS, browsers do not give pages the clipboard.
      getSelection()?.selectAllChildren(shown.current!);
      setSaid(words.selected);
    }
  }
  return (
    <div class="copied">
      <h3>{label}</h3>
      {help !== undefined && <p class="help">{help}</p>}
      <pre ref={shown} tabIndex={0} role="region" aria-label={label}>{text}</pre>
      <div class="buttons">
        <button type="button" onClick={() => void copy()}>{words.copy(label)}</button>
        <span role="status">{said}</span>
      </div>
    </div>
  );
}
