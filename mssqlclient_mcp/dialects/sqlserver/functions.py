"""Functions, rowset sources and views that a read on SQL Server must not reach, and the system functions it may.

System functions are refused unless listed here; everything else is judged by what can be learnt at connect
(OUTSIDE_FUNCTIONS_SQL in ``read_only``). Names in lower case. Source: Microsoft's Transact-SQL reference.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Refused under whatever schema: they read files or shares, the log, private keys, or call out.
DENIED_FUNCTIONS = _words("""
    fn_get_audit_file fn_get_audit_file_v2 fn_xe_file_target_read_file fn_xe_telemetry_blob_target_read_file fn_trace_gettable
    fn_dblog fn_dblog_xtp fn_full_dblog fn_dump_dblog fn_dump_dblog_xtp fn_rowdumpcracker
    dm_os_file_exists dm_os_enumerate_filesystem dm_os_enumerate_fixed_drives fn_validate_plan_guide
    pwdencrypt pwdcompare certprivatekey decryptbykeyautocert decryptbykeyautoasymkey
    get_filestream_transaction_context ai_generate_embeddings
""")

# The only functions of SQL Server's own with these prefixes that a read may call.
SYSTEM_PREFIXES = ("ai_", "dm_", "fn_", "sp_", "xp_")
SYSTEM_SCHEMAS = frozenset(("", "sys", "system_function_schema"))
ALLOWED_SYSTEM_FUNCTIONS = _words("""
    ai_generate_chunks
    dm_db_database_page_allocations dm_db_incremental_stats_properties dm_db_index_operational_stats dm_db_index_physical_stats
    dm_db_missing_index_columns dm_db_missing_index_group_stats_query dm_db_objects_disabled_on_compatibility_level_change
    dm_db_page_info dm_db_stats_histogram dm_db_stats_properties dm_db_stats_properties_internal
    dm_exec_cached_plan_dependent_objects dm_exec_cursors dm_exec_input_buffer
    dm_exec_plan_attributes dm_exec_query_plan dm_exec_query_plan_stats dm_exec_query_statistics_xml dm_exec_sql_text
    dm_exec_text_query_plan dm_exec_xml_handles dm_fts_index_keywords dm_fts_index_keywords_by_document
    dm_fts_index_keywords_by_property dm_fts_index_keywords_position_by_document dm_fts_parser dm_io_virtual_file_stats
    dm_logconsumer_privatecachebuffers dm_os_volume_stats dm_sql_referenced_entities dm_sql_referencing_entities
    dm_tran_version_store_space_usage dm_db_log_info dm_db_log_stats dm_db_xtp_hash_index_stats dm_exec_query_parallel_workers
    fn_builtin_permissions fn_cdc_decrement_lsn fn_cdc_get_column_ordinal fn_cdc_get_max_lsn fn_cdc_get_min_lsn
    fn_cdc_has_column_changed fn_cdc_hexstrtobin fn_cdc_increment_lsn fn_cdc_is_bit_set fn_cdc_map_lsn_to_time
    fn_cdc_map_time_to_lsn fn_check_object_signatures fn_column_store_row_groups fn_get_sql
    fn_hadr_backup_is_preferred_replica fn_hadr_distributed_ag_database_replica fn_hadr_distributed_ag_replica
    fn_hadr_is_primary_replica fn_hadr_is_same_replica fn_helpcollations fn_helpdatatypemap fn_isrolemember
    fn_listextendedproperty fn_my_permissions fn_numberof1infirstnbits fn_pagerescracker fn_physloccracker fn_physlocformatter
    fn_servershareddrives fn_sqlvarbasetostr fn_stmt_sql_handle_from_sql_stmt fn_trace_geteventinfo fn_trace_getfilterinfo
    fn_trace_getinfo fn_translate_permissions fn_varbintohexstr fn_varbintohexsubstring fn_virtualfilestats
    fn_virtualservernodes
""")

# Views that hold password hashes or keys, wherever they are named.
SECRET_VIEWS = _words("""
    sql_logins syslogins sysxlogins sysxsrvs syslnklgns sysremotelogins sysobjkeycrypts sysobjvalues key_encryptions
    sysowners
""")

# Views that look at the server's disks.
FILE_VIEWS = _words("dm_os_enumerate_fixed_drives")

# Properties of LOGINPROPERTY that are no secret.
LOGIN_PROPERTIES = _words("""
    badpasswordcount badpasswordtime daysuntilexpiration defaultdatabase defaultlanguage historylength isexpired islocked
    ismustchange lockouttime passwordlastsettime passwordhashalgorithm
""")

# Methods of the xml type that may end a column's name of four parts; ``modify`` writes.
XML_METHODS = _words("exist query value")
