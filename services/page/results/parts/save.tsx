/**
 * Files made here, of what is open: nothing is asked of anybody for them.
 * @module
 */
import { useState } from "preact/hooks";
import { Failure } from "../../parts/loading.tsx";
import { texts } from "../../texts.ts";
import { results } from "../opener.ts";
import type { FileRequest } from "../worker/calls.ts";

interface SaveProps {
  /** For who hears the page: what is saved. */
  label: string;
  /** What stands on the button; the label unless given. */
  text?: string;
  file: string;
}

/** A file that the worker makes. */
export function Save({ of, ...save }: SaveProps & { of: FileRequest }) {
  return <SaveMade {...save} make={() => results().call("file", of)} />;
}

export function SaveMade(
  { label, text, file, make }: SaveProps & { make: () => Blob | Promise<Blob> },
) {
  const [error, setError] = useState<unknown>();

  async function save(): Promise<void> {
    try {
      download(await make(), file);
      setError(undefined);
    } catch (reason) {
      setError(reason);
    }
  }

  return (
    <>
      <button
        type="button"
        class="plain"
        aria-label={text === undefined ? undefined : label}
        title={texts.results.saveAs(file)}
        onClick={() => void save()}
      >
        {text ?? label}
      </button>
      {error !== undefined && <Failure error={error} />}
    </>
  );
}

function download(blob: Blob, file: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = file;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
