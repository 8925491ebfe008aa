/**
 * Names of what the API shows as ids. They are asked for once a log-in, when somebody looks at one;
 * until they are there, and of what one may not see, the id stands in their place.
 * @module
 */
import { signal } from "@preact/signals";
import { named } from "../parts/visible.ts";
import { client, isSessionEnd, whileLoggedIn } from "../session/session.ts";
import { texts } from "../texts.ts";

type Names = ReadonlyMap<number, string>;

/** The names of all of a noun that one may see, in one question. */
function namesOf(
  askForAll: () => Promise<{ id: number; name: string }[]>,
  unnamed: (id: number) => string,
) {
  const names = signal<Names>(new Map());
  let asked = false;
  whileLoggedIn((leaving) => {
    leaving.addEventListener("abort", () => {
      asked = false;
      names.value = new Map();
    }, { once: true });
  });

  async function ask(): Promise<void> {
    asked = true;
    try {
      names.value = new Map(
        (await askForAll()).map(({ id, name }) => [id, named(name, unnamed(id))]),
      );
    } catch (error) {
      // Who may see no names reads ids.
      isSessionEnd(error);
    }
  }

  return {
    /** In components: they are drawn again when the names have come. */
    of(id: number): string {
      if (!asked) void ask();
      return names.value.get(id) ?? unnamed(id);
    },
    /** All that are there so far, in the order of their names. */
    all(): [id: number, name: string][] {
      if (!asked) void ask();
      return [...names.value].sort(([, one], [, other]) => one.localeCompare(other));
    },
  };
}

export const organizationNames = namesOf(
  () => client.organizations.list().all(),
  texts.names.organization,
);
export const collaborationNames = namesOf(
  () => client.collaborations.list().all(),
  texts.names.collaboration,
);
export const studyNames = namesOf(() => client.studies.list().all(), texts.names.study);
