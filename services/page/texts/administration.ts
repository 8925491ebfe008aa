/**
 * Texts of the administration: part of `texts.ts`, loaded with its screens.
 * @module
 */
const nouns = {
  organizations: {
    many: "Organizations",
    create: "New organization",
    remove: "Delete organization",
    goesAlong:
      "With an organization go its users, its own roles, its nodes and the tasks of its users, " +
      "with their results. This cannot be undone.",
    fields: {
      name: "Name",
      domain: "Domain",
      address1: "Address",
      address2: "Address, second line",
      zipcode: "Postal code",
      country: "Country",
      public_key: "Public key",
    },
    keyHelp: "Whoever holds its private half reads what is encrypted for your organization. " +
      "It is changed by members of the organization alone.",
    list: { key: "set", noKey: "none" },
  },
  users: {
    many: "Users",
    create: "New user",
    remove: "Delete user",
    goesAlong: "With a user go the tasks that they have created, with their results. They are " +
      "logged out everywhere. This cannot be undone.",
    fields: {
      username: "User name",
      password: "Password",
      firstname: "First name",
      lastname: "Last name",
      email: "E-mail address",
      organization_id: "Organization",
      roles: "Roles",
      current_password: "Your password",
    },
    person: "Person",
    lastSeen: "Last seen",
    noRoles: "None: this user may do nothing.",
    rolesHelp: "Nobody can give what they do not hold themselves.",
    currentPasswordHelp:
      "Whoever reads the mail of an account can recover it: another address needs your password.",
    notYours: (rules: string[]) => `You do not hold all of its rules yourself: ${rules.join(", ")}`,
  },
  roles: {
    many: "Roles",
    create: "New role",
    remove: "Delete role",
    goesAlong: "Users who have the role lose its rules at once. This cannot be undone.",
    fields: {
      name: "Name",
      description: "Description",
      organization_id: "Organization",
      rules: "Rules",
    },
    isDefault: "The hub's own, for all; nobody changes it",
    everybodys: "All",
  },
  collaborations: {
    many: "Collaborations",
    create: "New collaboration",
    remove: "Delete collaboration",
    goesAlong:
      "With a collaboration go its studies, its nodes, its links to algorithm stores and " +
      "its tasks, with their results. The organizations stay. This cannot be undone.",
    fields: { name: "Name", encrypted: "Encryption", organization_ids: "Organizations" },
    encryptedHelp: "Inputs and results are encrypted end to end: the hub cannot read them. Each " +
      "organization needs a key.",
    isEncrypted: "encrypted",
    isPlain: "not encrypted",
    memberGoesAlong:
      "With it go its nodes in this collaboration and its places in studies. What they run ends.",
  },
  studies: {
    many: "Studies",
    create: "New study",
    remove: "Delete study",
    goesAlong: "With a study go its tasks, with their results. This cannot be undone.",
    fields: {
      name: "Name",
      collaboration_id: "Collaboration",
      organization_ids: "Organizations",
    },
    membersHelp: "Some of the collaboration's.",
    memberGoesAlong: "New tasks of the study do not go to it any more.",
  },
  nodes: {
    many: "Nodes",
    create: "New node",
    remove: "Delete node",
    goesAlong:
      "The node is cut off at once, and what it runs ends. Its data stay where they are. " +
      "This cannot be undone.",
    fields: {
      name: "Name",
      organization_id: "Organization",
      collaboration_id: "Collaboration",
      ip: "Address",
    },
    nameHelp: "Made of organization and collaboration where it is left empty.",
    status: "State",
    online: "online",
    offline: "offline",
    lastSeen: "Last seen",
    shared: (key: string) => `Shares: ${key}`,
    key: "API key",
    keyHelp: "With its key a node proves who it is. It cannot be read again; if it is lost, or " +
      "others may know it, give the node a new one.",
    resetKey: "Give a new key",
    resetKeyTitle: (name: string) => `A new key for ${name}?`,
    resetKeyText:
      "The present key is good no longer: the node is cut off at once, until it has the new one.",
  },
  algorithmStores: {
    many: "Algorithm stores",
    create: "Link a store",
    remove: "Unlink store",
    goesAlong: "Every link to this store that you may edit is taken away. The store itself stays " +
      "as it is.",
    fields: {
      name: "Name",
      algorithm_store_url: "Address of the store",
      collaboration_id: "Collaboration",
      server_url: "Address of this hub, as the store is to know it",
      force: "Link it even if the store does not know this hub",
    },
    all: "All collaborations",
    serverUrlHelp: "Left empty it is what the hub is configured with.",
    forceHelp: "A store that trusts only hubs it knows refuses without this.",
  },
};

const rules = {
  title: "Rules",
  noun: "Noun",
  none: "–",
  nothing: "none",
  cell: (operation: string, noun: string) => `${operation}: ${noun}`,
  sentence: ({ noun, operation, scope }: { noun: string; operation: string; scope: string }) =>
    `${operation} ${noun} (${scope})`,
  beyond:
    "A wider scope includes the narrower ones. What is grey is beyond your own rules: nobody " +
    "gives or takes what they do not hold themselves.",
  nouns: {
    node: "Nodes",
    collaboration: "Collaborations",
    organization: "Organizations",
    task: "Tasks",
    run: "Results",
    user: "Users",
    role: "Roles",
    port: "Ports of algorithms",
    event: "Events",
    study: "Studies",
  } as Record<string, string>,
  operations: {
    VIEW: "View",
    EDIT: "Change",
    CREATE: "Create",
    DELETE: "Delete",
    SEND: "Send",
    RECEIVE: "Receive",
  } as Record<string, string>,
  scopes: {
    OWN: "own",
    ORGANIZATION: "organization",
    COLLABORATION: "collaborations",
    GLOBAL: "anywhere",
  } as Record<string, string>,
};

export const administration = {
  navigation: "Administration",
  noSuchPart: "There is no such thing here, or it is not for you.",
  nouns,
  rules,
  list: {
    name: "Name holds",
    search: "Search",
    all: "All",
    nothing: "There is none that fits.",
    pages: "Pages",
    previous: "Previous",
    next: "Next",
  },
  record: {
    change: "Change",
    save: "Save",
    none: "–",
    notAllowed: "Your rules do not reach this.",
    changeTitle: (name: string) => `Change ${name}`,
    removeTitle: (name: string) => `Delete ${name}?`,
  },
  form: {
    choose: "Choose …",
    cancel: "Cancel",
    find: "Find",
    noOptions: "There is nothing to choose from yet.",
  },
  confirm: {
    cancel: "Cancel",
    dependents: "Delete all of this too",
  },
  members: {
    title: "Organizations",
    nobody: "None.",
    add: "Another organization",
    addButton: "Take in",
    remove: "Take out",
    removeOne: (name: string) => `Take out ${name}`,
    removeTitle: (name: string) => `Take out ${name}?`,
  },
  publicKey: {
    file: "Read the public key from a file",
    fingerprint: "Fingerprint",
    notAKey: "This is no public key.",
    isPrivate: "This is a private key: it stays with you, and was not taken. Give the public one.",
  },
  newKey: {
    title: "The key of",
    once:
      "This is shown once. Take it along now: nobody can read it again, and whoever has it can " +
      "be this node.",
    key: "API key",
    file: "node.yaml",
    fileHelp: "Beside the data, at the site. Say there which databases there are and which " +
      "algorithms may run; keep the file to yourself (chmod 600).",
    start: "Start",
    copy: (what: string) => `Copy: ${what}`,
    copied: "Copied",
    selected: "Selected: copy it with the keyboard",
    done: "I have kept it",
  },
  audit: {
    title: "Audit record",
    filters: {
      what: "What",
      outcome: "Outcome",
      who_kind: "Who",
      who_id: "Their id",
      organization_id: "Of organization (id)",
      object: "Noun",
      object_id: "Its id",
      service: "Service",
      request_id: "Request id",
      from: "From",
      till: "Till",
    },
    whatHelp: "As user.changed",
    objectHelp: "As task",
    clear: "Clear",
    columns: ["When", "Who", "What", "Of", "Outcome", "More"],
    outcomes: { done: "done", refused: "refused" } as Record<string, string>,
    kinds: {
      user: "user",
      node: "node",
      container: "algorithm at node",
      operator: "operator of the hub",
    } as Record<string, string>,
    nobody: "nobody known",
    who: ({ kind, id, organizationId }: { kind: string; id: number; organizationId: number }) =>
      `${kind} ${id}, organization ${organizationId}`,
    more: "Details",
    facts: {
      service: "Service",
      request_id: "Request id",
      request: "Request",
      status: "Status",
      code: "Code",
      data: "Data",
    } as Record<string, string>,
    seals: "Seals",
    sealsHelp: "Each service seals its records in a chain: nobody can change one unseen by those " +
      "who have noted a later seal. Nodes note them; compare with theirs (deno task node audit " +
      "verify).",
    noSeals: "There is none yet: the first one comes within a minute.",
    sealColumns: ["Service", "Seal", "Records", "When", "SHA-256"],
    upTo: (id: number) => `up to ${id}`,
  },
  health: {
    title: "Health",
    again: "Look again",
    services: "Services",
    columns: ["Part", "State", "Why"],
    names: {
      identity: "identity",
      collaboration: "collaboration",
      task: "task",
      jetstream: "JetStream (events)",
      database: "Databases",
    } as Record<string, string>,
    well: "well",
    unwell: "not well",
    sextant: "Version of Sextant",
    v6: "Version of v6's API",
  },
};
