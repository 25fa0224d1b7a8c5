-- What the roles of deploy/postgres-roles.sql may do with the tables. Run after every migration, by whoever owns the tables;
-- where there are no such roles it does nothing.
do $$
begin
  if exists (select from pg_roles where rolname = 'workshop_app') then
    grant usage on schema public to workshop_app;
    -- Table by table: other applications may have theirs beside these.
    grant select on workshop_migrations, workshops, workshop_attendees, workshop_chat_messages, workshop_events,
      workshop_events_lost, workshop_feed, workshop_feed_ends, workshop_snapshots, workshop_archives, workshop_erasures,
      workshop_webhooks, workshop_webhook_places, workshop_webhook_scans, projection_checkpoints,
      projection_projectors, projection_parked, projection_skipped, projection_log, projection_chunks, workshops_next,
      workshop_attendees_next, workshop_chat_messages_next, workshop_events_next to workshop_app;
    -- Rows that follow the log: written, corrected, and folded anew.
    grant insert, update on workshops, projection_checkpoints, projection_skipped, projection_log to workshop_app;
    grant insert, update, delete on workshop_attendees, workshop_chat_messages to workshop_app;
    grant insert, update, delete on projection_projectors, projection_parked to workshop_app;
    grant insert, update, delete on workshop_snapshots to workshop_app;
    grant insert, update, delete on workshop_archives, workshop_erasures to workshop_app;
    grant insert, update, delete on workshop_webhooks, workshop_webhook_places to workshop_app;
    grant update on workshop_webhook_scans to workshop_app;
    -- Where tables are folded anew, beside those that are read.
    grant insert, update, delete on projection_chunks to workshop_app;
    grant insert, delete on workshops_next, workshop_attendees_next, workshop_chat_messages_next, workshop_events_next
      to workshop_app;
    -- Every event, kept for good. `data` alone is written again: a deleted message loses its text, and a person who is to be
    -- forgotten their name. A row is deleted where the log lost the event, and the trigger of the table keeps it in
    -- workshop_events_lost, where this role changes nothing else.
    grant insert, delete, update (data) on workshop_events to workshop_app;
    grant update (data) on workshop_events_lost to workshop_app;
  end if;
  if exists (select from pg_roles where rolname = 'workshop_analyst') then
    grant usage on schema public to workshop_analyst;
    grant select on workshops, workshop_attendees, workshop_chat_messages, workshop_events to workshop_analyst;
  end if;
end $$;
