/** What to say when a row would break one of these unique constraints. */
export const DUPLICATES: Record<string, string> = {
  organization_name_unique: "An organization with this name exists already.",
  user_username_unique: "A user with this user name exists already.",
  user_email_unique: "A user with this e-mail address exists already.",
};
