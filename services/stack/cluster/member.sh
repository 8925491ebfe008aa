#!/bin/sh
# A database server of compose.yaml's profile "cluster": Patroni, which starts PostgreSQL. It takes over the data of a
# single server that was there before.
set -eu
umask 077
data=/var/lib/postgresql/data
config=/tmp/patroni

if [ -z "${SEXTANT_POSTGRES_SERVERS:-}" ]; then
  echo 'Cannot start: the profile "cluster" needs the settings of services/stack/cluster/compose.env. Copy it to .env.'
  exit 1
fi
# Who begins with nothing follows the first: it must not make a database of its own while that has one to bring along.
if [ "$SEXTANT_MEMBER" != postgres ] && [ ! -s "$data/PG_VERSION" ]; then
  until pg_isready --quiet --host=postgres --username=postgres; do sleep 1; done
fi
chmod 700 "$data"
mkdir -p "$config"
cp /cluster/patroni_common.yaml "$config/1.yaml"
# In a file, and not in the environment, which every process of PostgreSQL would inherit.
cat > "$config/2.yaml" <<END
name: $SEXTANT_MEMBER
restapi:
  listen: 0.0.0.0:8008
  connect_address: $SEXTANT_MEMBER:8008
  authentication:
    username: patroni
    password: "$(cat /superuser/patroni)"
etcd3:
  host: etcd:2379
postgresql:
  listen: 0.0.0.0:5432
  connect_address: $SEXTANT_MEMBER:5432
  data_dir: $data
  pgpass: $config/pgpass
  authentication:
    superuser: &admin
      username: postgres
      password: "$(sed 's/[\\"]/\\&/g' /superuser/password)"
    replication: *admin
    rewind: *admin
  pg_hba:
    - host all all samenet scram-sha-256
    - host all all samehost scram-sha-256
    - host replication postgres samenet scram-sha-256
END
exec patroni "$config"
