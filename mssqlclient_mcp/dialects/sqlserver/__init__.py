"""SQL Server through ODBC; the only folder that names pyodbc."""
