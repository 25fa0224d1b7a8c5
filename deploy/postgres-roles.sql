-- Roles with no more rights than each needs, for a Postgres that the server shares with nobody. Run it once as a superuser, in
-- the database of the workshops; it may be repeated, also to change passwords:
--
--   psql -v migrator_password=… -v app_password=… -v analyst_password=… -f deploy/postgres-roles.sql workshop
--
--   workshop_migrator  owns the tables: `npx workshop migrate`, MIGRATE_DATABASE_URL
--   workshop_app       what nodes run as: DATABASE_URL
--   workshop_analyst   reads the tables of the contract
--
-- What app and analyst may do with the tables is projections/grants.sql, which every migration runs at its end. Tables that
-- another user made before are handed over by  reassign owned by <that user> to workshop_migrator.

\set ON_ERROR_STOP on

select format('create role %I login', name) from unnest(array['workshop_migrator', 'workshop_app', 'workshop_analyst']) name
where not exists (select from pg_roles where rolname = name) \gexec

alter role workshop_migrator password :'migrator_password' nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role workshop_app password :'app_password' nosuperuser nocreatedb nocreaterole noreplication nobypassrls;
alter role workshop_analyst password :'analyst_password' nosuperuser nocreatedb nocreaterole noreplication nobypassrls;

select format('revoke all on database %I from public', current_database()) \gexec
select format('grant connect, create on database %I to workshop_migrator', current_database()) \gexec
select format('grant connect on database %I to workshop_app, workshop_analyst', current_database()) \gexec
revoke create on schema public from public;
grant usage, create on schema public to workshop_migrator;
grant usage on schema public to workshop_app, workshop_analyst;

-- Nodes set limits of their own on each connection; these are for whoever else signs in as these roles: what hangs must not hold
-- locks and connections for good.
alter role workshop_app set statement_timeout = '60s';
alter role workshop_app set idle_in_transaction_session_timeout = '10s';
alter role workshop_migrator set idle_in_transaction_session_timeout = '60s';
alter role workshop_migrator set lock_timeout = '30s';
alter role workshop_analyst set statement_timeout = '5min';
alter role workshop_analyst set idle_in_transaction_session_timeout = '60s';
alter role workshop_analyst set default_transaction_read_only = on;
