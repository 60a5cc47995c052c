"""Which names of a database lead outside its control, where a transaction that is rolled back undoes nothing.

CLR code in an assembly beyond SAFE (permission_set 1) reaches files and networks, by functions, aggregates and the methods
of types; a synonym of four parts is another server's object. The views exist since SQL Server 2005 and show what
the login may see.
"""

from __future__ import annotations

OUTSIDE_FUNCTIONS = """
SELECT o.name AS name
FROM sys.assembly_modules AS m
JOIN sys.assemblies AS a ON a.assembly_id = m.assembly_id
JOIN sys.objects AS o ON o.object_id = m.object_id
WHERE a.permission_set > 1 AND CAST(a.is_user_defined AS int) = 1
UNION
SELECT t.name AS name
FROM sys.assembly_types AS t
JOIN sys.assemblies AS a ON a.assembly_id = t.assembly_id
WHERE a.permission_set > 1 AND CAST(a.is_user_defined AS int) = 1
UNION
SELECT s.name AS name
FROM sys.synonyms AS s
WHERE PARSENAME(s.base_object_name, 4) IS NOT NULL
"""
