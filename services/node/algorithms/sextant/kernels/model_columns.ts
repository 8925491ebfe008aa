/**
 * Agreement of the organizations on a model's columns, before it is fitted.
 * @module
 */
import { answer } from "../answer.ts";
import type { Context } from "../api.ts";
import type { Sites } from "../sites.ts";
import { commonLevels } from "./design.ts";
import { agreeOn, levelNotes, readSurvey, surveyColumns, type Variable } from "./survey.ts";

export interface ModelColumns {
  predictors: string[];
  /** Columns that must hold numbers, as an outcome. */
  numbers: string[];
  /** Columns whose values are levels, as strata. */
  levels?: string[];
  /** Columns of 0 and 1, or of two levels, as the outcome of a logistic model. */
  binary?: string[];
  /** Predictors of numbers that are levels. */
  categories?: string[] | undefined;
  /** Levels of fewer rows in all are left out. */
  min_level_count: number;
  where?: string | undefined;
}

/** Asks the organizations' `partial_survey`; returns each column as all take it, and notes. */
export async function agreeOnColumns(sites: Sites, asked: ModelColumns) {
  const { predictors, numbers, levels = [], binary = [], categories = [] } = asked;
  const { where } = asked;
  const columns = [...numbers, ...binary, ...predictors, ...levels];
  const stray = categories.find((name) => !predictors.includes(name));
  if (stray) throw new TypeError(`"categories" names "${stray}", which is no predictor.`);
  const parts = await sites.ask({
    method: "partial_survey",
    kwargs: { columns, categories: [...categories, ...levels], where },
    read: readSurvey,
  });
  const notes: string[] = [];
  const variables = columns.map((name): Variable => {
    const agreed = agreeOn(name, parts);
    if (binary.includes(name) && agreed.levels) notes.push(twoLevels(name, agreed.levels));
    if (!predictors.includes(name)) {
      if (!numbers.includes(name) || !agreed.levels) return { name, levels: agreed.levels };
      throw new TypeError(
        `The column "${name}" must hold numbers in this model, and holds levels.`,
      );
    }
    const found = commonLevels(agreed, asked.min_level_count);
    notes.push(...found.notes, ...levelNotes(found.variable, parts));
    return found.variable;
  });
  return { variables, notes };
}

function twoLevels(name: string, levels: string[]): string {
  if (levels.length === 2) {
    return `The model is of the outcome "${levels[1]}" against "${levels[0]}".`;
  }
  throw new TypeError(`The outcome "${name}" must have two levels, and has ${levels.length}.`);
}

/** What a model's `partial_survey` is. */
export function surveyPart(
  context: Context,
  { columns, categories, where }: { columns: string[]; categories: string[]; where?: string },
) {
  return answer(context, where, (rows) => surveyColumns(rows, columns, categories));
}

/** Refuses a column that stands for two things. */
export function checkRoles(names: (string | undefined)[]) {
  const given = names.filter((name) => name !== undefined);
  const twice = given.find((name, i) => given.indexOf(name) !== i);
  if (twice) throw new TypeError(`The column "${twice}" stands for two things in this model.`);
}
