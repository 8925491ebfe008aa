-- Whether the parts of a task go on when one of them fails. Else those that no node has begun end with it (contract §3.8).
alter table task add column keep_going boolean not null default false;
