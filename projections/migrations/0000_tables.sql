CREATE TABLE "workshop_attendees" (
	"workshop_id" bigint NOT NULL,
	"user_id" bigint NOT NULL,
	"display_name" text,
	"avatar_url" text,
	"status" text NOT NULL,
	"is_host" boolean NOT NULL,
	"is_co_host" boolean NOT NULL,
	"can_speak" boolean NOT NULL,
	"hand_raised_at" timestamptz,
	"joined_at" timestamptz,
	"left_at" timestamptz,
	"present_ms" bigint NOT NULL,
	"present_since" timestamptz,
	"rsvped" boolean NOT NULL,
	"invited" boolean NOT NULL,
	CONSTRAINT "workshop_attendees_workshop_id_user_id_pk" PRIMARY KEY("workshop_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "workshop_chat_messages" (
	"workshop_id" bigint NOT NULL,
	"id" bigint NOT NULL,
	"user_id" bigint NOT NULL,
	"display_name" text NOT NULL,
	"avatar_url" text,
	"message" text,
	"offset_ms" bigint NOT NULL,
	"created_at" timestamptz NOT NULL,
	"deleted_at" timestamptz,
	CONSTRAINT "workshop_chat_messages_workshop_id_id_pk" PRIMARY KEY("workshop_id","id")
);
--> statement-breakpoint
CREATE TABLE "projection_checkpoints" (
	"projection" text NOT NULL,
	"partition" integer NOT NULL,
	"feed_seq" bigint NOT NULL,
	"commits" bigint NOT NULL,
	"owner" text,
	"lease_until" timestamptz,
	"fence" bigint NOT NULL,
	"rebuild_requested" boolean NOT NULL,
	"updated_at" timestamptz NOT NULL,
	CONSTRAINT "projection_checkpoints_projection_partition_pk" PRIMARY KEY("projection","partition")
);
--> statement-breakpoint
CREATE TABLE "workshop_events" (
	"workshop_id" bigint NOT NULL,
	"version" bigint NOT NULL,
	"event_id" text NOT NULL,
	"type" text NOT NULL,
	"schema" integer NOT NULL,
	"at" timestamptz NOT NULL,
	"by" text NOT NULL,
	"command_id" text NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "workshop_events_workshop_id_version_pk" PRIMARY KEY("workshop_id","version")
);
--> statement-breakpoint
CREATE TABLE "workshop_events_lost" (
	"workshop_id" bigint NOT NULL,
	"version" bigint NOT NULL,
	"event_id" text NOT NULL,
	"type" text NOT NULL,
	"schema" integer NOT NULL,
	"at" timestamptz NOT NULL,
	"by" text NOT NULL,
	"command_id" text NOT NULL,
	"data" jsonb NOT NULL,
	"lost_at" timestamptz NOT NULL,
	CONSTRAINT "workshop_events_lost_workshop_id_event_id_pk" PRIMARY KEY("workshop_id","event_id")
);
--> statement-breakpoint
CREATE TABLE "projection_parked" (
	"workshop_id" bigint PRIMARY KEY NOT NULL,
	"projection" text NOT NULL,
	"partition" integer NOT NULL,
	"version" bigint NOT NULL,
	"reason" text NOT NULL,
	"attempts" integer NOT NULL,
	"parked_at" timestamptz NOT NULL,
	"retry_requested" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "projection_projectors" (
	"projection" text NOT NULL,
	"owner" text NOT NULL,
	"seen_until" timestamptz NOT NULL,
	CONSTRAINT "projection_projectors_projection_owner_pk" PRIMARY KEY("projection","owner")
);
--> statement-breakpoint
CREATE TABLE "workshops" (
	"id" bigint PRIMARY KEY NOT NULL,
	"host_id" bigint NOT NULL,
	"title" text NOT NULL,
	"description" text,
	"visibility" text NOT NULL,
	"status" text NOT NULL,
	"capacity" integer,
	"scheduled_at" timestamptz NOT NULL,
	"duration_minutes" integer,
	"started_at" timestamptz,
	"ended_at" timestamptz,
	"created_at" timestamptz NOT NULL,
	"version" bigint NOT NULL,
	"epoch" text NOT NULL
);
--> statement-breakpoint
CREATE INDEX "workshop_attendees_user" ON "workshop_attendees" USING btree ("user_id","workshop_id");