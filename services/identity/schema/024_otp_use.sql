-- Which codes of a second factor were used, from where and how often.
create table otp_use (
  user_id integer not null references "user" on delete cascade,
  -- The number of the half minute whose code it is.
  step bigint not null,
  network text not null,
  uses integer not null default 1,
  primary key (user_id, step)
);
alter table "user" drop column otp_used_steps;
