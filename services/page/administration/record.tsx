/**
 * One record: what is known of it, and what its reader may do to it.
 * @module
 */
import { useMemo, useState } from "preact/hooks";
import { named } from "../parts/visible.ts";
import type { Principal } from "../../../shared/contract/permissions.ts";
import { Heading } from "../parts/heading.tsx";
import { Plain } from "../parts/plain.tsx";
import { Show, useAsked } from "../parts/loading.tsx";
import { go, to } from "../routes.ts";
import { administration } from "../texts/administration.ts";
import { Confirm } from "./confirm.tsx";
import { Form } from "./form.tsx";
import type { FormDescription, Identified, Noun, OnceShown } from "./noun.ts";

const words = administration.record;

export function NounRecord({ noun, who, id }: { noun: Noun; who: Principal; id: number }) {
  const asked = useAsked((signal) => noun.get(id, signal), [noun.path, id]);
  return (
    <>
      <Back noun={noun} />
      {!asked.value && <Heading text={`${noun.words.many} #${id}`} />}
      <Show asked={asked}>
        {(item) => <Shown noun={noun} who={who} item={item} again={asked.again} />}
      </Show>
    </>
  );
}

function Shown({ noun, who, item, again }: {
  noun: Noun;
  who: Principal;
  item: Identified;
  again: () => void;
}) {
  const { change, remove, words: own } = noun;
  const title = titleIn(noun, item);
  const [removing, setRemoving] = useState(false);
  return (
    <>
      <header>
        <h1>
          <Plain text={title} />
        </h1>
        <div class="buttons">
          {change?.may(who, item) && (
            <a class="button" href={to("administration", noun.path, item.id, "change")}>
              {words.change}
            </a>
          )}
          {remove?.may(who, item) && (
            <button
              type="button"
              class="danger"
              onClick={() => setRemoving(true)}
            >
              {own.remove}
            </button>
          )}
        </div>
      </header>
      <noun.Details item={item} who={who} again={again} />
      {removing && (
        <Confirm
          title={words.removeTitle(title)}
          text={own.goesAlong}
          button={own.remove}
          act={(dependents) => remove!.send(item, { dependents })}
          onDone={() => go(to("administration", noun.path))}
          onClose={() => setRemoving(false)}
        />
      )}
    </>
  );
}

export function NewRecord({ noun, who }: { noun: Noun; who: Principal }) {
  if (!noun.create?.may(who)) {
    return <NotAllowed title={noun.words.create} />;
  }
  return (
    <>
      <Back noun={noun} />
      <RecordForm noun={noun} title={noun.words.create} make={() => noun.create!.form(who)} />
    </>
  );
}

export function ChangedRecord({ noun, who, id }: { noun: Noun; who: Principal; id: number }) {
  const asked = useAsked((signal) => noun.get(id, signal), [noun.path, id]);
  return (
    <>
      <Back noun={noun} />
      {!asked.value && <Heading text={`${noun.words.many} #${id}`} />}
      <Show asked={asked}>
        {(item) =>
          noun.change?.may(who, item)
            ? (
              <RecordForm
                noun={noun}
                title={words.changeTitle(titleIn(noun, item))}
                make={() => noun.change!.form(who, item)}
                back={to("administration", noun.path, id)}
              />
            )
            : <NotAllowed title={titleIn(noun, item)} />}
      </Show>
    </>
  );
}

function RecordForm({ noun, title, make, back = to("administration", noun.path) }: {
  noun: Noun;
  title: string;
  make: () => FormDescription;
  back?: string;
}) {
  const form = useMemo(make, []);
  const [once, setOnce] = useState<OnceShown>();
  const toRecord = (id: number) =>
    // The form is not to be found again on the way back: what it made is made.
    go(to("administration", noun.path, id), { replace: true });
  return (
    <>
      <Heading text={title} />
      {once
        ? once.show(() => {
          setOnce(undefined);
          toRecord(once.id);
        })
        : (
          <Form
            fields={form.fields}
            initial={form.initial}
            button={words.save}
            send={form.send}
            onSent={(answer) => typeof answer === "number" ? toRecord(answer) : setOnce(answer)}
            onCancel={() => go(back)}
          />
        )}
    </>
  );
}

function NotAllowed({ title }: { title: string }) {
  return (
    <>
      <Heading text={title} />
      <p>{words.notAllowed}</p>
    </>
  );
}

function titleIn(noun: Noun, item: Identified): string {
  return named(noun.titleOf(item), `#${item.id}`);
}

function Back({ noun }: { noun: Noun }) {
  return (
    <p class="back">
      <a href={to("administration", noun.path)}>← {noun.words.many}</a>
    </p>
  );
}
