-- Which code ran: 'sha256:' and the digest of the algorithm's file, or the digest by which an image is named.
alter table result add column code text;

-- The code of a job under the name of an algorithm, decided by the first start: what else goes by that name does not start.
create table job_code (
  job_id integer not null,
  image text not null,
  code text not null,
  -- The first task of the job: with it goes the whole job.
  task_id integer not null references task on delete cascade,
  primary key (job_id, image)
);
create index job_code_task on job_code (task_id);
