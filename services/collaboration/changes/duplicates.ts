/** What to say when a row would break one of these unique constraints. */
export const DUPLICATES: Record<string, string> = {
  collaboration_name_unique: "A collaboration with this name exists already.",
  study_name_unique: "A study with this name exists already.",
  node_name_unique: "A node with this name exists already.",
  node_place_unique: "The organization has a node in this collaboration already.",
  node_api_key_unique: "Another node has this API key: let the service make one.",
  algorithm_store_unique: "This algorithm store is linked there already.",
};
