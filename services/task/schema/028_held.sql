-- Since when the result of the current attempt has waited at its node for a person to release it.
alter table result add column held_at timestamptz;
create index result_held on result (task_id) where held_at is not null and finished_at is null;

-- Since when the time limit of a task has stood still, because something of its job waits for a person.
alter table task add column paused_at timestamptz;
create index task_paused on task (id) where paused_at is not null;
