CREATE TABLE "workshop_snapshots" (
	"workshop_id" bigint NOT NULL,
	"reducer" integer NOT NULL,
	"version" bigint NOT NULL,
	"event_id" text NOT NULL,
	"at" timestamptz NOT NULL,
	"room" text NOT NULL,
	CONSTRAINT "workshop_snapshots_workshop_id_reducer_version_pk" PRIMARY KEY("workshop_id","reducer","version")
);
