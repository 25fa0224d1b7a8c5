CREATE TABLE "projection_skipped" (
	"workshop_id" bigint NOT NULL,
	"version" bigint NOT NULL,
	"event_id" text,
	"reason" text NOT NULL,
	"skipped_by" text NOT NULL,
	"skipped_at" timestamptz NOT NULL,
	CONSTRAINT "projection_skipped_workshop_id_version_pk" PRIMARY KEY("workshop_id","version")
);
--> statement-breakpoint
ALTER TABLE "projection_checkpoints" ADD COLUMN "rebuild_done" integer;--> statement-breakpoint
ALTER TABLE "projection_checkpoints" ADD COLUMN "rebuild_total" integer;