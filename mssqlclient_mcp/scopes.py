"""The scopes that a token may grant. Whoever needs none, such as the one client over stdio, has them all."""

from __future__ import annotations

READ = "db:read"
WRITE = "db:write"
SCOPES = (READ, WRITE)
