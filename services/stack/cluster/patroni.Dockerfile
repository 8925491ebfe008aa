# The database servers of compose.yaml's profile "cluster": PostgreSQL's own image, with Patroni out of the archive of
# packages that is set up in it (https://wiki.postgresql.org/wiki/Apt). To have the same one again, tag what was built.
FROM postgres:17
RUN apt-get update \
  && apt-get install --yes --no-install-recommends patroni python3-etcd \
  && rm -rf /var/lib/apt/lists/*
