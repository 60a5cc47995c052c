"""An MCP server for SQL Server and PostgreSQL. Importing this package imports nothing heavy."""

__version__ = "1.0.0"
