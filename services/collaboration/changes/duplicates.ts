/** What to say when a row would break one of these unique constraints. */
export const DUPLICATES: Record<string, string> = {
  study_name_unique: "A study with this name exists already.",
};
