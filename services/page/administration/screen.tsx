/**
 * The administration, as far as the reader's rules reach.
 * @module
 */
import { useEffect } from "preact/hooks";
import { Heading } from "../parts/heading.tsx";
import { Show, useAsked } from "../parts/loading.tsx";
import { go, to } from "../routes.ts";
import type { ScreenProps } from "../screens.ts";
import { may } from "../session/session.ts";
import { administration } from "../texts/administration.ts";
import { AuditRecord } from "./audit.tsx";
import { Health } from "./health.tsx";
import { NounList } from "./list.tsx";
import type { Noun } from "./noun.ts";
import { algorithmStores } from "./nouns/algorithm_stores.tsx";
import { collaborations } from "./nouns/collaborations.tsx";
import { nodes } from "./nouns/nodes.tsx";
import { organizations } from "./nouns/organizations.tsx";
import { roles } from "./nouns/roles.tsx";
import { studies } from "./nouns/studies.tsx";
import { users } from "./nouns/users.tsx";
import { ChangedRecord, NewRecord, NounRecord } from "./record.tsx";
import { askWho } from "./who.ts";

const words = administration;

const NOUNS: Noun[] = [
  organizations,
  users,
  roles,
  collaborations,
  studies,
  nodes,
  algorithmStores,
];

const OTHERS = [
  {
    path: "audit",
    label: words.audit.title,
    isShown: () => may("user:EDIT", "GLOBAL"),
    Part: AuditRecord,
  },
  { path: "health", label: words.health.title, isShown: () => true, Part: Health },
];

export function Screen({ params: { part, id, action } }: ScreenProps) {
  const nouns = NOUNS.filter((noun) => noun.isShown());
  const others = OTHERS.filter((other) => other.isShown());
  const shown = [
    ...nouns.map(({ path, words }) => ({ path, label: words.many })),
    ...others,
  ];
  const first = shown[0]!.path;
  useEffect(() => {
    if (part === undefined) go(to("administration", first), { replace: true });
  }, [part]);
  const noun = nouns.find(({ path }) => path === part);
  const other = others.find(({ path }) => path === part);
  return (
    <>
      <nav class="parts" aria-label={words.navigation}>
        <ul>
          {shown.map(({ path, label }) => (
            <li key={path}>
              <a
                href={to("administration", path)}
                aria-current={path === part ? "page" : undefined}
              >
                {label}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      {noun && <NounScreen noun={noun} id={id} action={action} />}
      {other && id === undefined && <other.Part />}
      {part !== undefined && !noun && !other && <Heading text={words.noSuchPart} />}
    </>
  );
}

function NounScreen({ noun, id, action }: {
  noun: Noun;
  id: string | undefined;
  action: string | undefined;
}) {
  const asked = useAsked(askWho, []);
  return (
    <Show asked={asked}>
      {(who) => {
        if (id === undefined) return <NounList noun={noun} who={who} />;
        if (id === "new") return <NewRecord noun={noun} who={who} />;
        const number = Number(id);
        if (!Number.isSafeInteger(number)) return <Heading text={words.noSuchPart} />;
        return action === "change"
          ? <ChangedRecord noun={noun} who={who} id={number} />
          : <NounRecord noun={noun} who={who} id={number} />;
      }}
    </Show>
  );
}
