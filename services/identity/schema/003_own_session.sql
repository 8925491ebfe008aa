-- The access token that was issued with a refresh token: tells which log-in a request belongs to.
alter table refresh_token add column access_jti uuid;
