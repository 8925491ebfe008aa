-- Whether whoever linked a store insisted on one on the hub's own machine: a name that leads there later, but did
-- not when it was linked, is not followed. Links of before were made under that rule or with the word for it.
alter table algorithm_store add column forced boolean not null default true;
