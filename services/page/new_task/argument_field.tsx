/**
 * The field of one argument, as its description asks for it.
 * @module
 */
import { useId } from "preact/hooks";
import { Choice, describedBy, Field, FieldFrame, Tick } from "../parts/field.tsx";
import { Plain } from "../parts/plain.tsx";
import { newTask as words } from "../texts/new_task.ts";
import type { Argument, FieldValue, Site } from "./draft.ts";

interface ArgumentFieldProps {
  argument: Argument;
  value: FieldValue;
  onValue: (value: FieldValue) => void;
  wrong: string | undefined;
  /** Names that the sites share; none where they do not. */
  columns: readonly string[];
  sites: readonly Site[];
}

export function ArgumentField(props: ArgumentFieldProps) {
  const { argument, value, onValue, wrong, columns, sites } = props;
  const { type, help, choices, min, max } = argument;
  const label = argument.optional ? `${argument.label} (${words.optional})` : argument.label;
  const text = typeof value === "string" ? value : "";
  switch (type) {
    case "boolean":
      return (
        <div class="field">
          <Tick label={label} checked={value === true} onChecked={onValue} />
          <span class="help">{help}</span>
        </div>
      );
    case "choice":
      return (
        <Choice
          label={label}
          help={help}
          wrong={wrong}
          value={text}
          onValue={onValue}
          options={[
            ["", words.notGiven],
            ...choices!.map((one) => [String(one), String(one)] as const),
          ]}
        />
      );
    case "organizations": {
      const all = sites.map(({ organization }) => [String(organization.id), organization.name]);
      return <Several {...props} label={label} options={all as [string, string][]} />;
    }
    case "columns":
      if (columns.length === 0) {
        return (
          <Field
            label={label}
            help={`${help}. ${words.columnsHelp}`}
            wrong={wrong}
            value={typeof value === "string" ? value : (value as string[]).join(", ")}
            onValue={onValue}
          />
        );
      }
      return <Several {...props} label={label} options={columns.map((name) => [name, name])} />;
    case "column":
      if (columns.length === 0) {
        return (
          <Field
            label={label}
            help={`${help}. ${words.columnHelp}`}
            wrong={wrong}
            value={text}
            onValue={onValue}
          />
        );
      }
      return (
        <Choice
          label={label}
          help={help}
          wrong={wrong}
          value={text}
          onValue={onValue}
          options={[["", words.notGiven], ...columns.map((name) => [name, name] as const)]}
        />
      );
    case "list":
    case "object":
      return <JsonField label={label} help={help} wrong={wrong} value={text} onValue={onValue} />;
    default: {
      const range = type === "number" || type === "integer" ? rangeOf(min, max) : "";
      return (
        <Field
          label={label}
          help={`${help}${range}`}
          wrong={wrong}
          value={text}
          onValue={onValue}
          {...(range || type === "number" || type === "integer" ? { inputMode: "decimal" } : {})}
        />
      );
    }
  }
}

function rangeOf(min: number | undefined, max: number | undefined): string {
  if (min === undefined && max === undefined) return "";
  return ` (${min ?? "…"} – ${max ?? "…"})`;
}

/** JSON, as it is typed. */
export function JsonField(
  { label, help, wrong, value, onValue }: {
    label: string;
    help: string;
    wrong: string | undefined;
    value: string;
    onValue: (value: string) => void;
  },
) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} help={help} wrong={wrong}>
      <textarea
        id={id}
        class="mono"
        rows={3}
        spellcheck={false}
        value={value}
        aria-invalid={wrong === undefined ? undefined : "true"}
        aria-describedby={describedBy(id, { help, wrong })}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </FieldFrame>
  );
}

/** Any number of those that there are, in the order in which they stand there. */
function Several(
  { argument, label, value, onValue, wrong, options }: ArgumentFieldProps & {
    label: string;
    options: (readonly [value: string, label: string])[];
  },
) {
  const chosen = new Set(typeof value === "object" ? value : []);
  return (
    <fieldset class="field several">
      <legend class="label">{label}</legend>
      <span class="help">{argument.help}</span>
      <div class="choices">
        {options.map(([one, text]) => (
          <Tick
            key={one}
            label={<Plain text={text} />}
            checked={chosen.has(one)}
            onChecked={(checked) =>
              onValue(
                options.map(([other]) => other).filter((other) =>
                  other === one ? checked : chosen.has(other)
                ),
              )}
          />
        ))}
      </div>
      {wrong !== undefined && <span class="wrong">{wrong}</span>}
    </fieldset>
  );
}
