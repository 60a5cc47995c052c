"""Functions and catalogues that a read on PostgreSQL must not reach, and those with a dangerous prefix that it may.

``pg_`` and a few other prefixes are refused unless listed, so that a function of a coming release is refused until somebody
has looked at it; a test holds these tables against every VOLATILE function of a real server. Names in lower case.
Functions of users and extensions are judged by what is learnt at connect (``outside_functions.py``).
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Families of PostgreSQL's own functions that do more than read, or reach out of the database.
DENIED_FAMILIES: dict[str, frozenset[str]] = {
    "files": _words("""
        pg_read_file pg_read_file_old pg_read_binary_file pg_ls_dir pg_stat_file pg_file_read pg_file_write pg_file_rename
        pg_file_unlink pg_file_sync pg_file_length pg_logdir_ls pg_hba_file_rules pg_ident_file_mappings
        pg_show_all_file_settings pg_current_logfile
    """),
    "large objects": _words("loread lowrite"),
    "settings": _words("set_config setseed"),
    "sequences": _words("nextval setval"),
    "transaction ids": _words("txid_current pg_current_xact_id"),
    "SQL from a string": _words("""
        query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema table_to_xml
        table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema
        database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat ts_rewrite crosstab crosstab2 crosstab3
        crosstab4 crosstab_hash connectby xpath_table
    """),
    "signals": _words("pg_get_process_memory_contexts"),
    "sleeping": _words("pg_sleep pg_sleep_for pg_sleep_until"),
    "internals": _words("""
        currtid currtid2 brin_desummarize_range brin_summarize_new_values brin_summarize_range gin_clean_pending_list
        suppress_redundant_updates_trigger tsvector_update_trigger tsvector_update_trigger_column unique_key_recheck
        plpgsql_call_handler plpgsql_inline_handler plpgsql_validator amvalidate brinhandler bthandler ginhandler gisthandler
        hashhandler heap_tableam_handler spghandler dsnowball_init dsnowball_lexize
    """),
}
DENIED_FUNCTIONS = frozenset[str]().union(*DENIED_FAMILIES.values())

# Refused unless allowed below: locks, signals, WAL, replication, notifications, statistics resets, upgrades, other servers.
DENIED_PREFIXES = ("pg_", "lo_", "dblink", "binary_upgrade_", "postgres_fdw_", "ri_fkey_", "plpy", "plperl", "pltcl")

ALLOWED_VOLATILE = {
    "a value, no state": _words("""
        array_sample array_shuffle clock_timestamp timeofday gen_random_uuid random random_normal uuidv4 uuidv7 current_query
    """),
    "sampling methods": _words("bernoulli system"),
    "state of this session": _words("currval lastval"),
    "transactions, as they stand": _words("""
        txid_status pg_xact_status pg_last_committed_xact pg_xact_commit_timestamp pg_xact_commit_timestamp_origin
        pg_get_multixact_members pg_prepared_xact
    """),
    "sizes": _words("""
        pg_database_size pg_indexes_size pg_relation_size pg_table_size pg_tablespace_size pg_total_relation_size
    """),
    "what the server is doing": _words("""
        pg_blocking_pids pg_safe_snapshot_blocking_pids pg_lock_status pg_get_wait_events pg_get_backend_memory_contexts
        pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_get_aios pg_notification_queue_usage pg_stat_have_stats
        pg_get_loaded_modules pg_jit_available
    """),
    "WAL and replication, as they stand": _words("""
        pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_get_wal_replay_pause_state
        pg_get_wal_resource_managers pg_get_wal_summarizer_state pg_is_in_recovery pg_is_wal_replay_paused
        pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_show_replication_origin_status
        pg_replication_origin_progress pg_replication_origin_session_is_setup pg_replication_origin_session_progress
        pg_available_wal_summaries
    """),
    "control file": _words("pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system"),
    "catalogue": _words("""
        pg_collation_actual_version pg_database_collation_actual_version pg_get_sequence_data pg_sequence_last_value
        pg_partition_ancestors pg_partition_tree
    """),
}

# Families that only look, whatever a release adds to them.
ALLOWED_PREFIXES = ("pg_get_", "pg_stat_get_", "pg_lsn", "pg_snapshot_")
ALLOWED_STABLE = _words("""
    pg_available_extension_versions pg_available_extensions pg_backend_pid pg_basetype pg_char_to_encoding pg_client_encoding
    pg_collation_for pg_collation_is_visible pg_column_compression pg_column_is_updatable pg_column_size
    pg_column_toast_chunk_id pg_conf_load_time pg_config pg_conversion_is_visible pg_current_snapshot
    pg_current_xact_id_if_assigned pg_cursor pg_describe_object pg_encoding_max_length pg_encoding_to_char
    pg_extension_update_paths pg_filenode_relation pg_function_is_visible pg_has_role pg_identify_object
    pg_identify_object_as_address pg_index_column_has_property pg_index_has_property pg_indexam_has_property
    pg_indexam_progress_phasename pg_input_error_info pg_input_is_valid pg_is_other_temp_schema pg_listening_channels
    pg_mcv_list_items pg_my_temp_schema pg_numa_available pg_opclass_is_visible pg_operator_is_visible pg_opfamily_is_visible
    pg_options_to_table pg_partition_root pg_postmaster_start_time pg_prepared_statement pg_relation_filenode
    pg_relation_filepath pg_relation_is_publishable pg_relation_is_updatable pg_replication_origin_oid pg_sequence_parameters
    pg_settings_get_flags pg_show_all_settings pg_size_bytes pg_size_pretty pg_split_walfile_name
    pg_statistics_obj_is_visible pg_table_is_visible pg_tablespace_databases pg_tablespace_location pg_timezone_abbrevs
    pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone pg_timezone_names pg_trigger_depth pg_ts_config_is_visible
    pg_ts_dict_is_visible pg_ts_parser_is_visible pg_ts_template_is_visible pg_type_is_visible pg_typeof
    pg_visible_in_snapshot pg_wal_lsn_diff pg_walfile_name pg_walfile_name_offset pg_stat_statements pg_stat_statements_info
    pg_buffercache_pages pg_buffercache_summary pg_buffercache_usage_counts pg_freespace pg_relpages pg_visibility
    pg_visibility_map pg_visibility_map_summary
""")
ALLOWED = ALLOWED_STABLE.union(*ALLOWED_VOLATILE.values())

# Catalogues with password hashes, connection secrets or the server's files.
SECRETS = _words("""
    pg_authid pg_shadow pg_user_mapping pg_user_mappings _pg_user_mappings user_mapping_options pg_subscription
    pg_file_settings pg_hba_file_rules pg_ident_file_mappings pg_toast_1260
""")


def refusal(name: str) -> str:
    """Why a function of that name (lower case) is refused; empty when it is not."""
    for family, names in DENIED_FAMILIES.items():
        if name in names:
            return f"{name} is no function for a read ({family})"
    if not name.startswith(DENIED_PREFIXES) or name in ALLOWED:
        return ""
    if name.startswith(ALLOWED_PREFIXES):
        return ""
    return f"{name} is not among the functions of its family that are known to read only"
