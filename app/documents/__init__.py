"""Files, sealed: kept, read and erased in PostgreSQL, so that hosts share no disk."""
