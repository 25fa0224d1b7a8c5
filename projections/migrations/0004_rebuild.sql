CREATE TABLE "projection_chunks" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "projection_chunks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"projection" text NOT NULL,
	"partition" integer NOT NULL,
	"is_done" boolean NOT NULL,
	"up_to" bigint,
	"workshops" integer NOT NULL,
	"rows" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "workshop_attendees_next" (
	"chunk" bigint NOT NULL,
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
	CONSTRAINT "workshop_attendees_next_chunk_workshop_id_user_id_pk" PRIMARY KEY("chunk","workshop_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "workshop_chat_messages_next" (
	"chunk" bigint NOT NULL,
	"workshop_id" bigint NOT NULL,
	"id" bigint NOT NULL,
	"user_id" bigint NOT NULL,
	"display_name" text NOT NULL,
	"avatar_url" text,
	"message" text,
	"offset_ms" bigint NOT NULL,
	"created_at" timestamptz NOT NULL,
	"deleted_at" timestamptz,
	CONSTRAINT "workshop_chat_messages_next_chunk_workshop_id_id_pk" PRIMARY KEY("chunk","workshop_id","id")
);
--> statement-breakpoint
CREATE TABLE "workshop_events_next" (
	"chunk" bigint NOT NULL,
	"workshop_id" bigint NOT NULL,
	"version" bigint NOT NULL,
	"event_id" text NOT NULL,
	"type" text NOT NULL,
	"schema" integer NOT NULL,
	"at" timestamptz NOT NULL,
	"by" text NOT NULL,
	"command_id" text NOT NULL,
	"data" jsonb NOT NULL,
	CONSTRAINT "workshop_events_next_chunk_workshop_id_version_pk" PRIMARY KEY("chunk","workshop_id","version")
);
--> statement-breakpoint
CREATE TABLE "workshops_next" (
	"chunk" bigint NOT NULL,
	"id" bigint NOT NULL,
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
	"epoch" text NOT NULL,
	CONSTRAINT "workshops_next_chunk_id_pk" PRIMARY KEY("chunk","id")
);
