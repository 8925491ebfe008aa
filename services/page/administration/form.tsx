/**
 * A form made from the description of its fields. What the hub refuses is shown at its field, or on
 * top; what stands in the form stays.
 * @module
 */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Choice, Field, FieldFrame, Tick } from "../parts/field.tsx";
import { messageFor, Show, useAsked } from "../parts/loading.tsx";
import { NewPassword } from "../parts/new_password.tsx";
import { visible } from "../parts/visible.ts";
import { isSessionEnd } from "../session/session.ts";
import { administration } from "../texts/administration.ts";
import {
  type FieldDescription,
  fieldErrors,
  type FieldValue,
  idsOf,
  type Option,
  textOf,
  tickOf,
  type Values,
  withValue,
} from "./form_values.ts";

const words = administration.form;

interface FormProps<Answer> {
  fields: FieldDescription[];
  initial: Values;
  button: string;
  send: (values: Values, idempotencyKey: string) => Promise<Answer>;
  onSent: (answer: Answer) => void;
  onCancel?: () => void;
}

export function Form<Answer>(
  { fields, initial, button, send, onSent, onCancel }: FormProps<Answer>,
) {
  const [values, setValues] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const form = useRef<HTMLFormElement>(null);
  /** The same content that is sent again, as after a cut, is done once. */
  const sent = useRef({ text: "", key: "" });
  const wrong = fieldErrors(error);

  useEffect(() => {
    if (error === undefined) return;
    const first = form.current?.querySelector<HTMLElement>("[aria-invalid=true], [data-wrong]") ??
      form.current?.querySelector<HTMLElement>("[role=alert]");
    first?.focus();
  }, [error]);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const text = JSON.stringify(values);
    if (sent.current.text !== text) sent.current = { text, key: crypto.randomUUID() };
    setBusy(true);
    setError(undefined);
    try {
      onSent(await send(values, sent.current.key));
    } catch (reason) {
      if (!isSessionEnd(reason)) setError(reason);
    } finally {
      setBusy(false);
    }
  }

  return (
    <form ref={form} onSubmit={submit} class="card form">
      <div role="alert" tabIndex={-1}>
        {error !== undefined && <p class="notice bad">{messageFor(error)}</p>}
      </div>
      {fields.filter((field) => field.isShown?.(values) ?? true).map((field) => (
        <DescribedField
          key={field.name}
          field={field}
          values={values}
          wrong={wrong[field.name]}
          onValue={(value) => setValues((before) => withValue(before, { fields, field, value }))}
        />
      ))}
      <div class="buttons">
        <button type="submit" class="main" disabled={busy}>{button}</button>
        {onCancel && <button type="button" onClick={onCancel}>{words.cancel}</button>}
      </div>
    </form>
  );
}

interface DescribedFieldProps {
  field: FieldDescription;
  values: Values;
  wrong?: string | undefined;
  onValue: (value: FieldValue) => void;
}

/** One field, of whatever kind. */
export function DescribedField({ field, values, wrong, onValue }: DescribedFieldProps) {
  const id = useId();
  const { label, help, name } = field;
  switch (field.kind) {
    case "text": {
      const { type = "text", autoComplete = "off", required = false } = field;
      const value = textOf(values, name);
      const input = { label, help, wrong, value, onValue, type, autoComplete, required };
      return <Field {...input} />;
    }
    case "new password":
      return <NewPassword {...{ label, wrong, onValue }} value={textOf(values, name)} />;
    case "tick":
      return (
        <div class="field">
          <Tick label={label} checked={tickOf(values, name)} onChecked={onValue} />
          {help && <span class="help">{help}</span>}
          {wrong !== undefined && <span class="wrong">{wrong}</span>}
        </div>
      );
    case "choice":
      return (
        <Options field={field} values={values}>
          {(options) => (
            <Choice
              {...{ label, help, wrong, onValue }}
              value={textOf(values, name)}
              required={field.required ?? false}
              options={[
                ...(options.some((one) => one.value === "") ? [] : [["", words.choose] as const]),
                ...options.map(({ value, text }) => [value, visible(text)] as const),
              ]}
            />
          )}
        </Options>
      );
    case "choices":
      return (
        <Options field={field} values={values}>
          {(options) => (
            <Choices
              {...{ label, help, wrong, options, onValue }}
              chosen={idsOf(values, name)}
            />
          )}
        </Options>
      );
    case "own":
      return (
        <FieldFrame id={id} label={label} help={help} wrong={wrong}>
          <field.Control id={id} value={values[name] ?? ""} values={values} onValue={onValue} />
        </FieldFrame>
      );
  }
}

type Choosing = Extract<FieldDescription, { kind: "choice" | "choices" }>;

/** The options there are: given, or asked for. */
function Options({ field, values, children }: OptionsProps) {
  const { options } = field;
  return Array.isArray(options)
    ? <>{children(options)}</>
    : <AskedOptions {...{ field, values, children }} ask={options} />;
}

interface OptionsProps {
  field: Choosing;
  values: Values;
  children: (options: Option[]) => ComponentChildren;
}

function AskedOptions({ field: { dependsOn = [] }, values, children, ask }: OptionsProps & {
  ask: (values: Values, signal: AbortSignal) => Promise<Option[]>;
}) {
  const asked = useAsked((signal) => ask(values, signal), dependsOn.map((name) => values[name]));
  return <Show asked={asked}>{children}</Show>;
}

/** Above so many options there is a field to find some of them. */
const MANY = 8;

function Choices({ label, help, wrong, options, chosen, onValue }: {
  label: string;
  help: string | undefined;
  wrong: string | undefined;
  options: Option[];
  chosen: number[];
  onValue: (chosen: number[]) => void;
}) {
  const [search, setSearch] = useState("");
  const shown = options.filter(({ text, value }) =>
    text.toLowerCase().includes(search.toLowerCase()) || chosen.includes(Number(value))
  );
  function set(id: number, isChosen: boolean): void {
    onValue(isChosen ? [...chosen, id] : chosen.filter((one) => one !== id));
  }
  return (
    <fieldset class="field choices" tabIndex={-1} data-wrong={wrong === undefined ? undefined : ""}>
      <legend class="label">{label}</legend>
      {help && <span class="help">{help}</span>}
      {options.length > MANY && (
        <Field label={words.find} type="search" value={search} onValue={setSearch} />
      )}
      {options.length === 0 && <p class="help">{words.noOptions}</p>}
      <div class="options">
        {shown.map(({ value, text, why }) => (
          <Tick
            key={value}
            label={
              <>
                {visible(text)}
                {why !== undefined && <span class="help">{why}</span>}
              </>
            }
            checked={chosen.includes(Number(value))}
            onChecked={(isChosen) => set(Number(value), isChosen)}
            disabled={why !== undefined}
          />
        ))}
      </div>
      {wrong !== undefined && <span class="wrong">{wrong}</span>}
    </fieldset>
  );
}
