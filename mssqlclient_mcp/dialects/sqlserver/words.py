"""T-SQL's words as the read-only gate knows them: the reserved ones, which of them have a place in a read, and where.

Source of the reserved words: "Reserved Keywords (Transact-SQL)". SQL Server needs no semicolon between statements, and every
statement but a few (see STARTERS) begins with a reserved word: those without a place in a read refuse wherever they stand bare.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NO_PLACE = _words("""
    add alter authorization backup begin break browse bulk cascade check checkpoint close clustered commit compute
    constraint continue create cursor database dbcc deallocate declare delete deny disk distributed drop dump errlvl exec
    execute exit external file fillfactor foreign function goto grant identity identity_insert if insert into key kill lineno
    load nocheck nonclustered off offsets open openxml primary print proc procedure public raiserror read readtext
    reconfigure references replication restore restrict return revert revoke rollback rowcount rule save schema securityaudit
    set setuser shutdown statistics textsize tran transaction trigger truncate tsequal unique update updatetext waitfor while
    writetext
""")

# These stand in types, hints and rowsets, that is inside parentheses; at the top level of a read they have no place either.
INSIDE_ONLY = _words("column default double index national plan precision table values varying view")

LEAVES_THE_SERVER = _words("openrowset openquery opendatasource")

IN_READS = _words("""
    all and any as asc between by case coalesce collate column contains containstable convert cross current current_date
    current_time current_timestamp current_user default desc distinct double else end escape except exists fetch for
    freetext freetexttable from full group having holdlock identitycol in index inner intersect is join left like merge
    national not null nullif of on option or order outer over percent pivot plan precision right rowguidcol select
    semantickeyphrasetable semanticsimilaritydetailstable semanticsimilaritytable session_user some system_user table
    tablesample then to top try_convert union unpivot use user values varying view when where with within
""")

RESERVED = NO_PLACE | LEAVES_THE_SERVER | IN_READS

# Words that begin a statement without being reserved: refused where a statement could begin, that is after an operand.
STARTERS = _words("copy disable enable get move receive rename send throw")

# Reserved words after which an operand is expected; a name there begins no statement.
BEFORE_OPERAND = _words("""
    all and any as between by case distinct else escape except from having in intersect join like not on or over
    select some then top union when where within for order group percent
""")

# The nearest of these before a name in a list says whether tables are listed there (also behind a join's ON) or columns.
BEFORE_LISTS = _words("from join apply select by where on having")
# Directly before a name, these make it a column.
BEFORE_COLUMNS = _words("""
    select by where on having and or not case when then else distinct between like in all any some
    = < > ! + - * / % & | ^ ~
""")

LOCK_HINTS = _words("holdlock paglock readcommittedlock repeatableread serializable tablock tablockx updlock xlock")
READ_HINTS = _words("""
    forcescan forceseek index noexpand nolock readcommitted readpast readuncommitted rowlock spatial_window_max_cells
""")

QUERY_HINTS = _words("""
    assume_full_independence_for_filter_estimates concat disable disable_optimized_plan_forcing expand external fast for force
    forced forceexternalpushdown disableexternalpushdown externalpushdown group hash hint
    ignore_nonclustered_columnstore_index join keep keepfixed label loop max_grant_percent maxdop maxrecursion merge
    min_grant_percent no_performance_spool optimize order parameterization plan recompile robust scaleoutexecution simple table
    timestamp as of union unknown use views
""")

RESERVED_FUNCTIONS = _words("""
    coalesce contains containstable convert freetext freetexttable left nullif right semantickeyphrasetable
    semanticsimilaritydetailstable semanticsimilaritytable try_convert
""")
# Words whose group the second parser has to see.
KEPT_GROUPS = _words("cube first next offset repeatable rollup sets system")

CHANGES = _words("insert update delete merge")
NO_PLACE_IN_CHANGES = (NO_PLACE | LEAVES_THE_SERVER) - CHANGES - _words("into set")
