"""A sample shop on an embedded PostgreSQL, and a guided tour through what the server can do with it."""
