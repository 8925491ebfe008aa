/**
 * Fields of forms: a label, what is to be put in, and what is wrong with it.
 * @module
 */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface FieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  type?: "text" | "password" | "email" | "search" | "number" | "url" | "date";
  inputMode?: "numeric" | "decimal";
  autoComplete?: string;
  required?: boolean;
  disabled?: boolean;
  /** Whether typing begins here. */
  autoFocus?: boolean;
  help?: ComponentChildren;
  wrong?: string | undefined;
}

/** One line of text. */
export function Field(
  { label, value, onValue, help, wrong, autoFocus, type = "text", ...input }: FieldProps,
) {
  const id = useId();
  const element = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (autoFocus) element.current?.focus();
  }, []);
  return (
    <FieldFrame id={id} label={label} help={help} wrong={wrong}>
      <input
        {...input}
        type={type as "text"}
        ref={element}
        id={id}
        value={value}
        aria-invalid={wrong === undefined ? undefined : "true"}
        aria-describedby={describedBy(id, { help, wrong })}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
    </FieldFrame>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  options: readonly (readonly [value: string, label: string])[];
  help?: ComponentChildren;
  wrong?: string | undefined;
  disabled?: boolean;
  required?: boolean;
}

/** One of several. */
export function Choice(
  { label, value, onValue, options, help, wrong, disabled, required }: ChoiceProps,
) {
  const id = useId();
  return (
    <FieldFrame id={id} label={label} help={help} wrong={wrong}>
      <select
        id={id}
        value={value}
        disabled={disabled}
        required={required}
        aria-invalid={wrong === undefined ? undefined : "true"}
        aria-describedby={describedBy(id, { help, wrong })}
        onChange={(event) => onValue(event.currentTarget.value)}
      >
        {options.map(([one, text]) => <option key={one} value={one}>{text}</option>)}
      </select>
    </FieldFrame>
  );
}

/** Yes or no. */
export function Tick(
  { label, checked, onChecked, disabled }: {
    label: ComponentChildren;
    checked: boolean;
    onChecked: (checked: boolean) => void;
    disabled?: boolean;
  },
) {
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChecked(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

/** A label around any control with this id. */
export function FieldFrame(
  { id, label, help, wrong, children }: {
    id: string;
    label: string;
    help?: ComponentChildren;
    wrong?: string | undefined;
    children: ComponentChildren;
  },
) {
  return (
    <div class="field">
      <label class="label" for={id}>{label}</label>
      {children}
      {help && <span class="help" id={`${id}-help`}>{help}</span>}
      {wrong !== undefined && <span class="wrong" id={`${id}-wrong`}>{wrong}</span>}
    </div>
  );
}

export function describedBy(
  id: string,
  { help, wrong }: { help?: ComponentChildren; wrong?: string | undefined },
): string | undefined {
  const parts = [help && `${id}-help`, wrong !== undefined && `${id}-wrong`].filter(Boolean);
  return parts.length > 0 ? parts.join(" ") : undefined;
}
