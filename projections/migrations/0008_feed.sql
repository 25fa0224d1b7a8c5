CREATE TABLE "workshop_feed" (
	"partition" integer NOT NULL,
	"position" bigint NOT NULL,
	"workshop_id" bigint NOT NULL,
	"from_version" bigint NOT NULL,
	"to_version" bigint NOT NULL,
	CONSTRAINT "workshop_feed_partition_position_pk" PRIMARY KEY("partition","position")
);
--> statement-breakpoint
CREATE TABLE "workshop_feed_ends" (
	"partition" integer PRIMARY KEY NOT NULL,
	"position" bigint NOT NULL,
	"generation" text NOT NULL
);

--> statement-breakpoint
INSERT INTO "workshop_feed_ends" ("partition", "position", "generation")
SELECT p, 0, (SELECT md5(random()::text || clock_timestamp()::text)) FROM generate_series(0, 63) AS p;
--> statement-breakpoint
-- Whoever writes rows of workshop_events notes in what order, whatever else they may do: it runs with the rights of the tables' owner.
CREATE FUNCTION "note_in_feed"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  WITH stretches AS (
    SELECT (workshop_id % 64)::integer AS partition, workshop_id, min(version) AS from_version, max(version) AS to_version,
      row_number() OVER (PARTITION BY workshop_id % 64 ORDER BY workshop_id) AS place
    FROM added GROUP BY workshop_id
  ), counted AS (
    SELECT partition, max(place) AS stretches FROM stretches GROUP BY partition
  ), ends AS (
    UPDATE workshop_feed_ends e SET position = e.position + c.stretches FROM counted c WHERE e.partition = c.partition
    RETURNING e.partition, e.position - c.stretches AS before
  )
  INSERT INTO workshop_feed (partition, position, workshop_id, from_version, to_version)
  SELECT s.partition, e.before + s.place, s.workshop_id, s.from_version, s.to_version
  FROM stretches s JOIN ends e USING (partition);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "note_in_feed" AFTER INSERT ON "workshop_events" REFERENCING NEW TABLE AS "added"
FOR EACH STATEMENT EXECUTE FUNCTION "note_in_feed"();
--> statement-breakpoint
-- What is there already comes first, workshop by workshop.
WITH stretches AS (
  SELECT (workshop_id % 64)::integer AS partition, workshop_id, min(version) AS from_version, max(version) AS to_version,
    row_number() OVER (PARTITION BY workshop_id % 64 ORDER BY workshop_id) AS place
  FROM "workshop_events" GROUP BY workshop_id
), noted AS (
  INSERT INTO "workshop_feed" ("partition", "position", "workshop_id", "from_version", "to_version")
  SELECT partition, place, workshop_id, from_version, to_version FROM stretches RETURNING "partition", "position"
)
UPDATE "workshop_feed_ends" e SET "position" = n."last"
FROM (SELECT "partition", max("position") AS "last" FROM noted GROUP BY "partition") n WHERE e."partition" = n."partition";
