CREATE TABLE "workshop_archives" (
	"workshop_id" bigint PRIMARY KEY NOT NULL,
	"version" bigint NOT NULL,
	"hash" text NOT NULL,
	"reducer" integer NOT NULL,
	"state" text NOT NULL,
	"steps" text NOT NULL,
	"archived_at" timestamptz NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workshop_erasures" (
	"user_id" bigint NOT NULL,
	"workshop_id" bigint NOT NULL,
	"partition" integer NOT NULL,
	"requested_by" text NOT NULL,
	"requested_at" timestamptz NOT NULL,
	"done_at" timestamptz,
	"events" integer NOT NULL,
	"messages" integer NOT NULL,
	CONSTRAINT "workshop_erasures_user_id_workshop_id_pk" PRIMARY KEY("user_id","workshop_id")
);
