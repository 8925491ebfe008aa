import { passwordProblems } from "../../../shared/contract/password.ts";
import { texts } from "../texts.ts";
import { Field } from "./field.tsx";

/** A new password, and what it still lacks: in the hub's own words, by the hub's own rules. */
export function NewPassword({ label, value, wrong, onValue }: {
  label: string;
  value: string;
  wrong?: string | undefined;
  onValue: (value: string) => void;
}) {
  const problems = passwordProblems(value);
  return (
    <Field
      label={label}
      type="password"
      value={value}
      onValue={onValue}
      autoComplete="new-password"
      required
      wrong={wrong}
      help={problems.length === 0 ? texts.password.good : texts.password.lacks(problems)}
    />
  );
}
