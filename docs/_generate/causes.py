"""What is usually behind an error, by code: what a table of the code cannot tell. A test holds that every code is here."""

from __future__ import annotations

from mssqlclient_mcp.errors import ErrorCode

CAUSES: dict[ErrorCode, tuple[str, ...]] = {
    ErrorCode.CONFIG_INVALID: (
        "A setting has a value that cannot be meant (`treu` for `true`), or two settings exclude each other. The message names it.",
        "`MSSQL_CONNECTIONSTRING` and `DATABASE_URL` are both set: remove one. None is set: see [connecting](connecting.md).",
        "A keyword of the connection string is unknown or misspelt; the nearest right one is named.",
        "A password with `;`, quotes or `{` stands unquoted: in ADO.NET form put it in single quotes, in a URL percent-encode it.",
        "The server ends with exit code 2. In a client this shows as a server that does not start: read the client's log.",
    ),
    ErrorCode.CONNECTION_FAILED: (
        "The database is not running, or its address or port is wrong; `check` tells name, port and TLS apart.",
        "A named instance (`host\\instance`) needs UDP port 1434 (SQL Server Browser); give the port instead: `Server=host,1433`.",
        "A firewall drops the packets: the call then takes the whole `CONNECTION_TIMEOUT_SECONDS`.",
        "TLS: this machine does not trust the certificate. In a network that you trust, `TrustServerCertificate=yes`; else trust its issuer.",
        "The connection was lost in the middle of a statement: `details.outcome` says what became of it.",
    ),
    ErrorCode.AUTHENTICATION_FAILED: (
        "User or password is wrong, or the password expired.",
        "SQL Server allows Windows logins only (no mixed mode), or the login may not open the database that the string names.",
        "PostgreSQL's `pg_hba.conf` has no line for this user, database and address.",
        "A token of Microsoft Entra was refused: wrong tenant, or the database has no user for that identity.",
    ),
    ErrorCode.PERMISSION_DENIED: (
        "The login may not read this object, or not see its definition (SQL Server: `VIEW DEFINITION`).",
        "Metadata tools do not fail for it where they can help it: they leave the part out, with a note that names the permission.",
        "Over HTTP: the token lacks the scope `db:write`, which procedures need.",
    ),
    ErrorCode.DRIVER_MISSING: (
        'SQL Server: no ODBC library (`libodbc2` on Debian) or no driver. `pip install "mssqlclient-mcp[driver]"` brings Microsoft\'s.',
        'PostgreSQL: the extra is not installed: `pip install "mssqlclient-mcp[postgres]"`.',
        "`MSSQL_ODBC_DRIVER` or `DRIVER=` names one that is not there; `check` lists those that are.",
    ),
    ErrorCode.TIMEOUT: (
        "The statement took longer than `timeoutSeconds`, the client's command timeout, or `TOTAL_TOOL_CALL_TIMEOUT_SECONDS`.",
        "It waited for a lock: a read does not wait for ever for somebody's open transaction.",
        "`explain_query` shows whether it reads a table whole; `start_query` gives it up to `SESSION_MAX_TIMEOUT_SECONDS`.",
        "A write that timed out was rolled back unless `details.outcome` says otherwise.",
    ),
    ErrorCode.CANCELLED: (
        "The client cancelled the call, the session was cancelled with `cancel_session`, or the server was shut down.",
        "The client went away (its process ended, its connection closed).",
    ),
    ErrorCode.SYNTAX_ERROR: (
        "The database could not read the statement; its own message and the position are in the answer.",
        "A statement for the other database: `TOP` is T-SQL, `LIMIT` is PostgreSQL. `get_server_capabilities` tells which one this is.",
        "A column is neither grouped nor aggregated, or a name is ambiguous.",
    ),
    ErrorCode.OBJECT_NOT_FOUND: (
        "A misspelt name, another schema, or another database: the nearest names are in the answer.",
        "The login may not see the object: databases do not tell that apart from one that does not exist.",
        'PostgreSQL: a name with capitals must be quoted in SQL text (`"Orders"`); tools that take a name find it either way.',
        "A procedure that takes other types than those given: PostgreSQL looks functions up by their types.",
    ),
    ErrorCode.INVALID_PARAMETER: (
        "An argument is missing, unknown or does not fit; all problems are said at once, before anything runs.",
        "`databaseName` was sent in database mode, for another database than the connected one.",
        "A value would have been rounded or cut (`1.005` for `decimal(18,2)`): it is refused instead.",
        "The SQL has another number of markers (`?`, `$1`) than `parameters` has values.",
    ),
    ErrorCode.CONSTRAINT_VIOLATION: (
        "A key, check or not-null constraint refused the values; its name is in the answer.",
        "With query text nothing was kept. A procedure may have committed parts of its work before: see `details.outcome`.",
    ),
    ErrorCode.DEADLOCK: (
        "Two transactions waited for each other and the database ended this one, or a serialisable one could not be ordered.",
        "Read-only statements on SQL Server meet it under the default isolation; the same call usually passes the second time.",
    ),
    ErrorCode.READ_ONLY_VIOLATION: (
        "The text changes something, or calls a function that reaches outside. With `ENABLE_WRITE_QUERIES=true` it may.",
        "Over HTTP with writes on: the token reads only. `details.scope` is what one must grant to change data (`db:write`).",
        "It holds more than one statement: send one a call. On SQL Server, `SELECT 1 SELECT 2` is two.",
        "It only reads, but the gate could not be certain: write it more plainly, and please report it (see [security](security.md)).",
    ),
    ErrorCode.GATE_CLOSED: (
        "The tool exists, and the owner of this server has not opened it. `details.setting` is what opens it.",
        "The client remembers a list of tools from before: start it again.",
    ),
    ErrorCode.POOL_EXHAUSTED: (
        "All `POOL_MAX_SIZE` connections are busy and `POOL_MAX_WAITING` calls wait already: too many calls at once, or slow ones.",
        "Long work belongs into sessions (`start_query`): these have connections of their own.",
    ),
    ErrorCode.RATE_LIMITED: (
        "More than `RATE_LIMIT_PER_MINUTE` calls within a minute by this client (over HTTP 10 unless set).",
        "`get_session_status` and `cancel_session` never count.",
    ),
    ErrorCode.TOO_MANY_SESSIONS: (
        "`MAX_CONCURRENT_SESSIONS` run already; their ids are in `details.sessionIds`. Finished ones do not count.",
    ),
    ErrorCode.SESSION_NOT_FOUND: (
        "It ended more than `SESSION_CLEANUP_INTERVAL_MINUTES` ago, the server was started again, or the id is misspelt.",
        "It belongs to another client: everyone sees their own.",
    ),
    ErrorCode.SESSION_RUNNING: ("The CSV resource needs the end of the session; `get_session_result` shows the rows so far.",),
    ErrorCode.RESULT_EXPIRED: (
        "Newer results needed the memory (`SESSIONS_MAX_MEMORY_MB`), and the oldest finished ones were given up.",
    ),
    ErrorCode.DATABASE_ERROR: (
        "Any other error of the database, in its own words: a division by zero, a conversion, a full disk.",
        "`details.sqlstate` or `details.nativeError` is what to search the database's documents for.",
    ),
    ErrorCode.INTERNAL: (
        "A defect of this server. Please report it with the lines of the log that have the same `requestId`.",
    ),
}
