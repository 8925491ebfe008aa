-- So that what a node was given after its new key is told from what it was given before.
alter table refresh_token add column issued_at timestamptz not null default now();
