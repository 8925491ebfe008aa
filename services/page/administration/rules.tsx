/**
 * Rules as people see them: a table of nouns and operations, with the scope in each cell.
 * @module
 */
import type { Principal } from "../../../shared/contract/permissions.ts";
import type { Rule } from "../../../shared/contract/rule.ts";
import { administration } from "../texts/administration.ts";
import { beyond, type Cell, type Choice, choiceIn, matrixOf, withChoice } from "./rule_matrix.ts";

const words = administration.rules;

interface RuleTableProps {
  /** All that there are. */
  rules: readonly Rule[];
  /** Ids of those that are held. */
  held: readonly number[];
  /** Where they can be changed: by whom, and from what. */
  editing?: {
    who: Principal;
    before: readonly number[];
    onHeld: (held: number[]) => void;
  };
}

export function RuleTable({ rules, held, editing }: RuleTableProps) {
  const { operations, rows } = matrixOf(rules);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={words.title}>
      <table class="rules">
        <caption class="unseen">{words.title}</caption>
        <thead>
          <tr>
            <th scope="col">{words.noun}</th>
            {operations.map((one) => <th key={one} scope="col">{words.operations[one] ?? one}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ noun, cells }) => (
            <tr key={noun}>
              <th scope="row">{words.nouns[noun] ?? noun}</th>
              {cells.map((cell, index) => (
                <td key={operations[index]}>
                  {cell && (editing
                    ? <CellChoice cell={cell} held={held} {...editing} />
                    : <CellWords cell={cell} held={held} />)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CellWords({ cell, held }: { cell: Cell; held: readonly number[] }) {
  const choice = choiceIn(cell, held);
  if (choice !== "") return <>{wordFor(choice, cell, held)}</>;
  return (
    <>
      <span class="none" aria-hidden="true">·</span>
      <span class="unseen">{words.nothing}</span>
    </>
  );
}

function CellChoice({ cell, held, who, before, onHeld }: {
  cell: Cell;
  held: readonly number[];
  who: Principal;
  before: readonly number[];
  onHeld: (held: number[]) => void;
}) {
  const was = choiceIn(cell, before);
  const choices: Choice[] = ["", ...cell.rules.map(({ scope }) => scope)];
  if (was === "mixed") choices.push(was);
  const noun = words.nouns[cell.noun] ?? cell.noun;
  const operation = words.operations[cell.operation] ?? cell.operation;
  const closed = choices.filter((choice) => beyond(cell, choice, { who, before }).length > 0);
  return (
    <select
      aria-label={words.cell(operation, noun)}
      title={closed.length > 0 ? words.beyond : undefined}
      value={choiceIn(cell, held)}
      disabled={choices.every((choice) => choice === was || closed.includes(choice))}
      onChange={(event) => onHeld(withChoice(cell, event.currentTarget.value, { held, before }))}
    >
      {choices.map((choice) => (
        <option key={choice} value={choice} disabled={closed.includes(choice)}>
          {choice === "" ? words.none : wordFor(choice, cell, before)}
        </option>
      ))}
    </select>
  );
}

function wordFor(choice: Choice, { rules }: Cell, held: readonly number[]): string {
  if (choice !== "mixed") return words.scopes[choice] ?? choice;
  return rules.filter(({ id }) => held.includes(id))
    .map(({ scope }) => words.scopes[scope] ?? scope).join(" + ");
}
