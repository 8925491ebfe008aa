-- Counts the API keys of a node: what was given for one is not good with the next. A number, because moments of two
-- services, told in whole seconds, do not say which came first.
alter table node
  add column key_generation integer not null default 1,
  drop column key_issued_at;
