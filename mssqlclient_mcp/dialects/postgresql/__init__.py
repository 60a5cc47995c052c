"""PostgreSQL through psycopg 3. Importing a module of this folder does not import psycopg before a connection is made."""
