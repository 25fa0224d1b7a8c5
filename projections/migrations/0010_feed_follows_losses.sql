-- What the log lost, at the end of a workshop, is taken out of the stretches that hold it: what takes its place is noted anew, and a
-- reader who was behind would get it twice, and out of order. Where later events stay, nothing was lost: the event comes again.
CREATE FUNCTION "trim_feed"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE workshop_feed f SET to_version = greatest(f.from_version, r.first) - 1
  FROM (SELECT workshop_id, min(version) AS first FROM removed GROUP BY workshop_id) r
  WHERE f.partition = (r.workshop_id % 64)::integer AND f.workshop_id = r.workshop_id AND f.to_version >= r.first
    AND NOT EXISTS (SELECT FROM workshop_events e WHERE e.workshop_id = r.workshop_id AND e.version >= r.first);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "trim_feed" AFTER DELETE ON "workshop_events" REFERENCING OLD TABLE AS "removed"
FOR EACH STATEMENT EXECUTE FUNCTION "trim_feed"();
