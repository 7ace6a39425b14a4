"""The explorer: a registry's proven history in the database, and what is read from it for people and programs."""
