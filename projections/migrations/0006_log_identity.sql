CREATE TABLE "projection_log" (
	"projection" text PRIMARY KEY NOT NULL,
	"identity" text NOT NULL,
	"run" text NOT NULL,
	"run_until" timestamptz,
	"taken_at" timestamptz NOT NULL
);
