-- How many hellos of a node have been dealt with. A hello says which one it follows: a copy that comes late follows another.
alter table node_agent add column hellos integer not null default 0;
