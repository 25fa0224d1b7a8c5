CREATE TABLE "workshop_webhook_places" (
	"webhook_id" bigint NOT NULL,
	"workshop_id" bigint NOT NULL,
	"delivered" bigint NOT NULL,
	"target" bigint NOT NULL,
	"attempts" integer NOT NULL,
	"failing_since" timestamptz,
	"due_at" timestamptz NOT NULL,
	"waits" boolean NOT NULL,
	"last_error" text,
	"owner" text,
	"lease_until" timestamptz,
	CONSTRAINT "workshop_webhook_places_webhook_id_workshop_id_pk" PRIMARY KEY("webhook_id","workshop_id")
);
--> statement-breakpoint
CREATE TABLE "workshop_webhook_scans" (
	"partition" integer PRIMARY KEY NOT NULL,
	"position" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workshop_webhooks" (
	"id" bigint PRIMARY KEY NOT NULL,
	"url" text NOT NULL,
	"types" text[],
	"workshop_ids" bigint[],
	"description" text,
	"sealed_secret" text NOT NULL,
	"active" boolean NOT NULL,
	"ended_because" text,
	"created_by" text NOT NULL,
	"created_at" timestamptz NOT NULL
);
--> statement-breakpoint
ALTER TABLE "workshop_webhook_places" ADD CONSTRAINT "workshop_webhook_places_webhook_id_workshop_webhooks_id_fk" FOREIGN KEY ("webhook_id") REFERENCES "public"."workshop_webhooks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "workshop_webhook_places_due" ON "workshop_webhook_places" USING btree ("webhook_id","due_at") WHERE delivered < target and not waits;
--> statement-breakpoint
INSERT INTO "workshop_webhook_scans" ("partition", "position") SELECT p, 0 FROM generate_series(0, 63) AS p;
