CREATE TABLE `messages` (
	`id` integer PRIMARY KEY NOT NULL,
	`content` text NOT NULL,
	`node_name` text NOT NULL,
	`created_at` text NOT NULL
);
