/**
 * The sections of the form.
 * @module
 */
import type { Algorithm } from "../../../shared/contract/algorithm.ts";
import { Choice, Field, Tick } from "../parts/field.tsx";
import { Plain } from "../parts/plain.tsx";
import { newTask as words } from "../texts/new_task.ts";
import { ArgumentField, JsonField } from "./argument_field.tsx";
import type { There } from "./draft.ts";
import { type Derived, type Draft, keyOf, OTHER } from "./task_draft.ts";

interface SectionProps {
  draft: Draft;
  derived: Derived;
  there: There;
  change: (some: Partial<Draft>) => void;
  /** Whether what is wrong is shown by now. */
  isChecked: boolean;
}

export function AlgorithmSection(
  { draft, derived, there: { algorithms, stores }, change, isChecked }: SectionProps,
) {
  const { algorithm, methods, wrong, question } = derived;
  const told = algorithms.map((one) => [keyOf(one), labelOf(one)] as const);
  return (
    <section class="card">
      <h2>{words.algorithm}</h2>
      <Choice
        label={words.algorithm}
        value={draft.algorithmKey}
        onValue={(algorithmKey) => change({ algorithmKey, fields: {}, organizations: undefined })}
        help={algorithm?.description?.summary}
        options={[...told, [OTHER, words.otherImage]]}
      />
      {!algorithm && (
        <Field
          label={words.image}
          help={algorithms.length === 0 ? words.noneTold : words.imageHelp}
          wrong={isChecked ? wrong.image : undefined}
          value={draft.image}
          onValue={(image) => change({ image })}
        />
      )}
      {stores.length > 0 && (
        <Choice
          label={`${words.store} (${words.optional})`}
          help={words.storeHelp}
          value={String(draft.storeId ?? "")}
          onValue={(id) => change({ storeId: Number(id) || undefined })}
          options={[
            ["", words.noStore],
            ...stores.map(({ id, name }) => [String(id), name] as const),
          ]}
        />
      )}
      {methods.length > 0
        ? (
          <Choice
            label={words.method}
            value={question.method}
            onValue={(method) => change({ method, organizations: undefined })}
            help={methods.find(({ name }) => name === question.method)?.help}
            options={methods.map(({ name, label }) => [name, label])}
          />
        )
        : (
          <Field
            label={words.method}
            help={words.methodHelp}
            value={question.method}
            onValue={(method) => change({ method })}
          />
        )}
    </section>
  );
}

export function ArgumentsSection({ draft, derived, change, isChecked }: SectionProps) {
  const { method, values, columns, sites, question } = derived;
  const wrong = isChecked ? derived.wrong : {};
  const described = Object.entries(method?.arguments ?? {});
  return (
    <section class="card">
      <h2>{words.arguments}</h2>
      {method && described.length === 0 && <p>{words.noArguments}</p>}
      {described.map(([name, argument]) => (
        <ArgumentField
          key={`${question.image} ${question.method} ${name}`}
          argument={argument}
          value={values[name]!}
          onValue={(value) => change({ fields: { ...draft.fields, [name]: value } })}
          wrong={wrong[name]}
          columns={columns}
          sites={sites}
        />
      ))}
      {!method && (
        <JsonField
          label={words.arguments}
          help={words.argumentsHelp}
          wrong={wrong.json}
          value={draft.json}
          onValue={(json) => change({ json })}
        />
      )}
    </section>
  );
}

export function WhereSection(
  { draft, derived, there: { studies }, change, isChecked }: SectionProps,
) {
  const { sites, going, labels, label, needsDatabase, wrong } = derived;
  const chosen = new Set(going.map(({ organization }) => organization.id));
  const database = {
    label: words.database,
    help: words.databaseHelp,
    value: label,
    onValue: (value: string) => change({ database: value }),
  };
  function tick(id: number, isChosen: boolean) {
    if (isChosen) chosen.add(id);
    else chosen.delete(id);
    change({ organizations: chosen });
  }
  return (
    <section class="card">
      <h2>{words.where}</h2>
      {studies.length > 0 && (
        <Choice
          label={words.study}
          value={String(draft.studyId ?? "")}
          onValue={(id) => change({ studyId: Number(id) || undefined, organizations: undefined })}
          options={[
            ["", words.noStudy],
            ...studies.map(({ id, name }) => [String(id), name] as const),
          ]}
        />
      )}
      <fieldset class="field several">
        <legend class="label">{words.organizations}</legend>
        <div class="choices">
          {sites.map(({ organization: { id, name } }) => (
            <Tick
              key={id}
              label={<Plain text={name} />}
              checked={chosen.has(id)}
              onChecked={(isChosen) => tick(id, isChosen)}
            />
          ))}
        </div>
        {isChecked && wrong.organizations && <span class="wrong">{wrong.organizations}</span>}
      </fieldset>
      {needsDatabase && labels.length > 0 && (
        <Choice {...database} options={labels.map((one) => [one, one])} />
      )}
      {needsDatabase && labels.length === 0 && <Field {...database} />}
    </section>
  );
}

export function AboutSection(
  { draft, derived: { wrong }, change, isChecked }: SectionProps,
) {
  const optional = (label: string) => `${label} (${words.optional})`;
  return (
    <section class="card">
      <h2>{words.about}</h2>
      <Field
        label={optional(words.name)}
        value={draft.name}
        onValue={(name) => change({ name })}
      />
      <Field
        label={optional(words.description)}
        value={draft.description}
        onValue={(description) => change({ description })}
      />
      <Field
        label={optional(words.timeout)}
        help={words.timeoutHelp}
        wrong={isChecked ? wrong.timeout : undefined}
        value={draft.timeout}
        onValue={(timeout) => change({ timeout })}
        inputMode="numeric"
      />
      <Tick
        label={words.keepGoing}
        checked={draft.keepGoing}
        onChecked={(keepGoing) => change({ keepGoing })}
      />
    </section>
  );
}

function labelOf({ image, nodes }: Algorithm): string {
  const online = nodes.filter(({ status }) => status === "online").length;
  return `${image} (${words.onlineAt(online)})`;
}
