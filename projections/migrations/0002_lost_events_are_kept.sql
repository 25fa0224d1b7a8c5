-- Whoever deletes a row of workshop_events leaves a copy of it in workshop_events_lost, whatever else they may do: it runs with
-- the rights of the tables' owner.
CREATE FUNCTION "keep_lost_event"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO workshop_events_lost (workshop_id, version, event_id, type, schema, at, by, command_id, data, lost_at)
  VALUES (old.workshop_id, old.version, old.event_id, old."type", old."schema", old."at", old."by", old.command_id, old.data, now())
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "keep_lost_event" AFTER DELETE ON "workshop_events" FOR EACH ROW EXECUTE FUNCTION "keep_lost_event"();
