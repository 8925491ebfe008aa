/**
 * A result, or a part of one, as it is: parts within parts, of which those are asked for that
 * somebody looks at.
 * @module
 */
import { useState } from "preact/hooks";
import { Failure, Loading, useAsked } from "../../parts/loading.tsx";
import { Plain } from "../../parts/plain.tsx";
import { texts } from "../../texts.ts";
import { results } from "../opener.ts";
import type { Path } from "../read/pieces.ts";
import type { TreeNode } from "../worker/calls.ts";
import { cellLabel } from "./result_table.tsx";

const words = texts.results;
const AT_ONCE = 50;

export function Tree({ id, path }: { id: number; path: Path }) {
  const [most, setMost] = useState(AT_ONCE);
  const asked = useAsked(
    () => results().call("parts", { id, path, from: 0, count: most + 1 }),
    [id, path.join("\n"), most],
  );
  const { value, error } = asked;
  if (error !== undefined) return <Failure error={error} again={asked.again} />;
  if (!value) return <Loading />;
  if (value.length === 0) return <p class="quiet">{texts.parts.nothing}</p>;
  return (
    <>
      <ul class="tree">
        {value.slice(0, most).map((node) => (
          <Part
            key={node.key}
            id={id}
            path={path}
            node={node}
          />
        ))}
      </ul>
      {value.length > most && (
        <button
          type="button"
          class="plain"
          onClick={() => setMost(most + 4 * AT_ONCE)}
        >
          {texts.parts.more}
        </button>
      )}
    </>
  );
}

function Part({ id, path, node }: { id: number; path: Path; node: TreeNode }) {
  const [isOpen, setIsOpen] = useState(false);
  const { key, is, size, value } = node;
  const name = key === "" && path.length === 0 ? null : (
    <span class="tree-key">
      <Plain text={String(key)} />
    </span>
  );
  if (is === "plain" || size === 0) {
    return (
      <li>
        {name} <Value node={node} />
      </li>
    );
  }
  return (
    <li>
      <details onToggle={(event) => setIsOpen(event.currentTarget.open)}>
        <summary>
          {name} <span class="quiet">{is === "list" ? words.items(size) : words.parts(size)}</span>
        </summary>
        {isOpen && <Tree id={id} path={[...path, key]} />}
      </details>
    </li>
  );

  function Value({ node }: { node: TreeNode }) {
    if (node.is !== "plain") return <span class="quiet">{texts.parts.nothing}</span>;
    if (typeof value === "number" || typeof value === "bigint") {
      return <span class="mono" title={String(value)}>{cellLabel(value)}</span>;
    }
    return value === null
      ? <span class="quiet">–</span>
      : <Plain text={typeof value === "object" ? value.json : String(value)} lines />;
  }
}
