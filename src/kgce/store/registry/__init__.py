"""Who exists, in SQLite or PostgreSQL."""
