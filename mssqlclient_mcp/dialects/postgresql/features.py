"""What PostgreSQL can do: a table, and the small engine that reads it.

Source: the release notes of PostgreSQL 10 to 18 ("Appendix E"), "Additional Supplied Modules and Extensions", and the catalogue
views pg_settings and pg_available_extensions for what a server itself must say.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...models import FeatureSupport
from ..features import Facts, flag
from .catalog_server import SERVER, further_probes
from .identity import deployment, extensions, identity, major, rights, settings

__all__ = ["FEATURES", "SERVER", "Feature", "deployment", "features", "further_probes", "identity", "rights"]


@dataclass(frozen=True)
class Feature:
    """A capability of a server: the major version it appeared in, and what else it needs.

    ``setting`` with ``on``: a switch and the values that turn it on; ``extension``: to be installed in the database.
    """

    name: str
    since: int = 0
    setting: str | None = None
    on: tuple[str, ...] = ("on",)
    extension: str | None = None


FEATURES = (
    Feature("declarative_partitioning", 10),
    Feature("logical_replication", 10, setting="wal_level", on=("logical",)),
    Feature("icu_collations", 10),
    Feature("stored_procedures", 11),
    Feature("hash_partitioning", 11),
    Feature("covering_indexes", 11),
    Feature("jit_compilation", 11, setting="jit"),
    Feature("stored_generated_columns", 12),
    Feature("sql_json_path", 12),
    Feature("reindex_concurrently", 12),
    Feature("nondeterministic_collations", 12),
    Feature("incremental_sort", 13),
    Feature("btree_deduplication", 13),
    Feature("parallel_vacuum_of_indexes", 13),
    Feature("fetch_first_with_ties", 13),
    Feature("gen_random_uuid", 13),
    Feature("multirange_types", 14),
    Feature("jsonb_subscripting", 14),
    Feature("lz4_column_compression", 14),
    Feature("date_bin", 14),
    Feature("recursive_search_and_cycle", 14),
    Feature("extended_statistics_on_expressions", 14),
    Feature("predefined_read_write_roles", 14),
    Feature("query_id", 14, setting="compute_query_id", on=("on", "auto", "regress")),
    Feature("merge", 15),
    Feature("nulls_not_distinct", 15),
    Feature("security_invoker_views", 15),
    Feature("publication_row_filters", 15),
    Feature("regexp_count_and_friends", 15),
    Feature("json_log", 15),
    Feature("sql_json_constructors", 16),
    Feature("any_value", 16),
    Feature("io_statistics_view", 16),
    Feature("logical_decoding_on_standby", 16),
    Feature("explain_generic_plan", 16),
    Feature("json_table", 17),
    Feature("merge_returning", 17),
    Feature("incremental_backup", 17),
    Feature("maintain_privilege", 17),
    Feature("transaction_timeout", 17),
    Feature("login_event_triggers", 17),
    Feature("copy_on_error", 17),
    Feature("builtin_collation_provider", 17),
    Feature("explain_memory", 17),
    Feature("virtual_generated_columns", 18),
    Feature("uuidv7", 18),
    Feature("asynchronous_io", 18, setting="io_method", on=("worker", "io_uring")),
    Feature("temporal_constraints", 18),
    Feature("returning_old_and_new", 18),
    Feature("btree_skip_scan", 18),
    Feature("not_enforced_constraints", 18),
    Feature("oauth_authentication", 18),
    Feature("row_level_security", setting="row_security"),
    Feature("tls", setting="ssl"),
    Feature("data_checksums", setting="data_checksums"),
    Feature("query_statistics", extension="pg_stat_statements"),
    Feature("cryptographic_functions", extension="pgcrypto"),
    Feature("geographic_types", extension="postgis"),
    Feature("vector_search", extension="vector"),
    Feature("trigram_search", extension="pg_trgm"),
    Feature("key_value_type", extension="hstore"),
    Feature("case_insensitive_text", extension="citext"),
    Feature("label_trees", extension="ltree"),
    Feature("accent_free_search", extension="unaccent"),
    Feature("foreign_postgresql_tables", extension="postgres_fdw"),
    Feature("scheduled_jobs", extension="pg_cron"),
    Feature("time_series", extension="timescaledb"),
    Feature("distributed_tables", extension="citus"),
    Feature("partition_manager", extension="pg_partman"),
)


def features(facts: Facts) -> tuple[FeatureSupport, ...]:
    """Every feature of the table, judged by the facts."""
    return tuple(_support(feature, facts) for feature in FEATURES)


def _support(feature: Feature, facts: Facts) -> FeatureSupport:
    version = major(facts)
    if version is None and (feature.since or not facts):
        return FeatureSupport(feature.name, None, "the version is unknown")
    if version is not None and version < feature.since:
        return FeatureSupport(feature.name, False, f"needs PostgreSQL {feature.since}; this is {version}")
    if feature.extension is not None:
        return _by_extension(feature.name, feature.extension, facts)
    if feature.setting is not None:
        return _by_setting(feature, feature.setting, facts)
    return FeatureSupport(feature.name, True)


def _by_extension(name: str, extension: str, facts: Facts) -> FeatureSupport:
    known = extensions(facts)
    if known is None:
        return FeatureSupport(name, None, "the list of extensions cannot be seen")
    if extension not in known:
        return FeatureSupport(name, False, f"the extension {extension} is not on this server")
    if not known[extension]:
        reason = f"the extension {extension} is not installed here: CREATE EXTENSION"
        return FeatureSupport(name, False, reason, enabled=False)
    return FeatureSupport(name, True, f"{extension} {known[extension]}", enabled=True)


def _by_setting(feature: Feature, setting: str, facts: Facts) -> FeatureSupport:
    value = settings(facts).get(setting)
    if value is None:
        return FeatureSupport(feature.name, True, f"whether {setting} is on cannot be seen")
    enabled = value in feature.on or (feature.on == ("on",) and bool(flag(value)))
    return FeatureSupport(feature.name, True, "" if enabled else f"supported, but off here: {setting} = {value}", enabled)
