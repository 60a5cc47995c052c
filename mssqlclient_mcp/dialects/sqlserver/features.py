"""What SQL Server can do: a table, and the small engine that reads it.

Source: "Editions and supported features" (2016, 2022, 2025), "What's new" (2017 to 2025) and "Features comparison: Azure
SQL" of SQL Server's documentation. None: the documents do not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...models import FeatureSupport
from ..features import Facts, flag
from .catalog_server import SERVER, further_probes
from .identity import AZURE_SQL, MANAGED_INSTANCE, SYNAPSE, Place, deployment, identity, rights

__all__ = ["FEATURES", "SERVER", "Feature", "deployment", "features", "further_probes", "identity", "rights"]

YEARS = {9: "2005", 10: "2008", 11: "2012", 12: "2014", 13: "2016", 14: "2017", 15: "2019", 16: "2022", 17: "2025"}


@dataclass(frozen=True)
class Editions:
    """In which editions a feature is: each with the first major version (0: as long as the feature). Empty: in all.
    ``others``: what is known of an edition that is not named."""

    text: str
    since: Mapping[str, int] = field(default_factory=dict)
    others: bool | None = False


ALL = Editions("all")
ALL_SINCE_2016_SP1 = Editions("all since 2016 SP1")
ALL_IN_2022 = Editions(
    "all in 2022", {"enterprise": 0, "standard": 16, "web": 16, "express": 16, "express advanced": 16}, others=None
)
ENTERPRISE = Editions("enterprise,developer,evaluation", {"enterprise": 0})
ENTERPRISE_THEN_STANDARD_2019 = Editions(
    "enterprise,developer,evaluation; plus standard since 2019 and web in 2022", {"enterprise": 0, "standard": 15, "web": 16}
)
ENTERPRISE_THEN_STANDARD_2025 = Editions(
    "enterprise,developer,evaluation; plus standard in 2025", {"enterprise": 0, "standard": 17}
)
STANDARD = Editions("enterprise,developer,evaluation,standard", {"enterprise": 0, "standard": 0})
STANDARD_BASIC = Editions("enterprise,developer,evaluation; standard has basic groups", {"enterprise": 0, "standard": 0})
STANDARD_ELSE_CLIENT = Editions(
    "enterprise,developer,evaluation,standard; client only elsewhere", {"enterprise": 0, "standard": 0}
)
NOT_EXPRESS = Editions("enterprise,developer,evaluation,standard,web", {"enterprise": 0, "standard": 0, "web": 0})
NOT_PLAIN_EXPRESS = Editions(
    "all except plain Express (2022); all in 2025",
    {"enterprise": 0, "standard": 0, "web": 0, "express advanced": 0, "express": 17},
)


@dataclass(frozen=True)
class Feature:
    """A capability of a server: when it appeared and what else it needs.

    ``level``: compatibility level of the database. ``component``: the fact that says whether it is installed. ``switch``: the
    fact that says whether it is on.
    """

    name: str
    since: int
    editions: Editions = ALL
    azure_sql_db: bool | None = True
    managed_instance: bool | None = True
    level: int = 0
    component: str | None = None
    switch: str | None = None
    preview: bool = False


FEATURES = (
    Feature("json_functions", 13, level=130),
    Feature("json_type", 17),
    Feature("json_index", 17, azure_sql_db=None, managed_instance=None),
    Feature("columnstore", 11, ALL_SINCE_2016_SP1),
    Feature("in_memory_oltp", 12, ALL_SINCE_2016_SP1, component="is_xtp_supported"),
    Feature("temporal_tables", 13),
    Feature("graph_tables", 14),
    Feature("row_level_security", 13, ALL_SINCE_2016_SP1),
    Feature("dynamic_data_masking", 13, ALL_SINCE_2016_SP1),
    Feature("always_encrypted", 13, ALL_SINCE_2016_SP1),
    Feature("always_encrypted_enclaves", 15, managed_instance=None, switch="enclave_type"),
    Feature("transparent_data_encryption", 10, ENTERPRISE_THEN_STANDARD_2019, switch="is_encrypted"),
    Feature("query_store", 13, switch="is_query_store_on"),
    Feature("query_store_read_replicas", 16, ENTERPRISE, azure_sql_db=None, managed_instance=None),
    Feature("query_store_hints", 16),
    Feature("online_index", 9, ENTERPRISE),
    Feature("resumable_online_index_rebuild", 14, ENTERPRISE),
    Feature("resumable_online_index_create", 15, ENTERPRISE),
    Feature("resumable_add_constraint", 16, ENTERPRISE),
    Feature("data_compression", 10, ALL_SINCE_2016_SP1),
    Feature("xml_compression", 16),
    Feature("partitioning", 9, ALL_SINCE_2016_SP1),
    Feature("database_snapshots", 9, ALL_SINCE_2016_SP1, azure_sql_db=False, managed_instance=False),
    Feature("polybase", 13, ALL_IN_2022, azure_sql_db=False, component="is_polybase_installed"),
    Feature("ledger", 16, switch="is_ledger_on"),
    Feature("string_agg", 14),
    Feature("string_split", 13, level=130),
    Feature("trim", 14),
    Feature("concat_ws", 14),
    Feature("translate", 14),
    Feature("approx_count_distinct", 15),
    Feature("approx_percentile", 16),
    Feature("generate_series", 16, level=160),
    Feature("date_bucket", 16),
    Feature("datetrunc", 16),
    Feature("is_distinct_from", 16),
    Feature("greatest_least", 16),
    Feature("window_clause", 16, level=160),
    Feature("vector_type", 17),
    Feature("vector_index", 17, azure_sql_db=None, managed_instance=None, preview=True),
    Feature("regex_functions", 17),
    Feature("fuzzy_string_matching", 17, preview=True),
    Feature("external_rest_endpoint", 17),
    Feature("change_event_streaming", 17, azure_sql_db=None, managed_instance=None, preview=True),
    Feature("accelerated_database_recovery", 15, NOT_EXPRESS, switch="is_adr_on"),
    Feature("optimized_locking", 17, STANDARD, managed_instance=None, switch="is_optimized_locking_on"),
    Feature("batch_mode_on_rowstore", 15, ENTERPRISE, level=150),
    Feature("iqp_adaptive_joins", 14, ENTERPRISE, level=140),
    Feature("iqp_interleaved_execution", 14, level=140),
    Feature("iqp_scalar_udf_inlining", 15, level=150),
    Feature("iqp_table_variable_deferred_compilation", 15, level=150),
    Feature("iqp_row_mode_memory_grant_feedback", 15, ENTERPRISE, level=150),
    Feature("iqp_parameter_sensitive_plan", 16, level=160),
    Feature("iqp_dop_feedback", 16, ENTERPRISE, managed_instance=None),
    Feature("iqp_cardinality_feedback", 16, ENTERPRISE),
    Feature("automatic_tuning", 14, ENTERPRISE),
    Feature("s3_backup", 16, NOT_EXPRESS, azure_sql_db=None, managed_instance=None),
    Feature("change_data_capture", 10, STANDARD, switch="is_cdc_enabled"),
    Feature("change_tracking", 10),
    Feature("full_text", 9, NOT_PLAIN_EXPRESS, component="is_fulltext_installed"),
    Feature("service_broker", 9, STANDARD_ELSE_CLIENT, azure_sql_db=False, switch="is_broker_enabled"),
    Feature("clr", 9, azure_sql_db=False, switch="clr_enabled"),
    Feature("cross_database_queries", 9, azure_sql_db=False),
    Feature("linked_servers", 9, azure_sql_db=False),
    Feature("sql_agent", 9, NOT_EXPRESS, azure_sql_db=False),
    Feature("filestream", 10, azure_sql_db=False, managed_instance=False, switch="filestream_level"),
    Feature("resource_governor", 10, ENTERPRISE_THEN_STANDARD_2025, azure_sql_db=False),
    Feature("availability_groups", 11, STANDARD_BASIC, azure_sql_db=False, managed_instance=False, switch="is_hadr_enabled"),
    Feature("sequences", 11),
    Feature("utf8_collations", 15),
    Feature("verbose_truncation_error", 15),
    Feature("granular_state_permissions", 16),
)


def features(facts: Facts) -> tuple[FeatureSupport, ...]:
    """Every feature of the table, judged by the facts."""
    place = Place.of(facts)
    return tuple(_support(feature, place, facts) for feature in FEATURES)


def _support(feature: Feature, place: Place, facts: Facts) -> FeatureSupport:
    supported, reason = _judge(feature, place, facts)
    enabled = flag(facts.get(feature.switch)) if feature.switch and supported else None
    if supported and enabled is False:
        reason = "supported, but off here"
    elif supported and feature.preview:
        reason = "preview: needs PREVIEW_FEATURES"
    return FeatureSupport(feature.name, supported, reason, enabled)


def _judge(feature: Feature, place: Place, facts: Facts) -> tuple[bool | None, str]:
    """The first thing that stands against the feature, from the widest to the narrowest."""
    for judge in (_by_place, _by_version, _by_edition, _by_component, _by_level):
        verdict = judge(feature, place, facts)
        if verdict is not None:
            return verdict
    return True, ""


def _by_place(feature: Feature, place: Place, facts: Facts) -> tuple[bool | None, str] | None:
    del facts
    offered = {AZURE_SQL: feature.azure_sql_db, MANAGED_INSTANCE: feature.managed_instance, SYNAPSE: None}
    if place.service is None:
        return None
    if offered[place.service] is None:
        return None, f"the documents do not say for {place.service}"
    return None if offered[place.service] else (False, f"not in {place.service}")


def _by_version(feature: Feature, place: Place, facts: Facts) -> tuple[bool | None, str] | None:
    del facts
    if place.service is not None:
        return None
    if place.major is None:
        return None, "the version is unknown"
    if place.major >= feature.since:
        return None
    return False, f"needs {_version(feature.since)}; this is {_version(place.major)}"


def _by_edition(feature: Feature, place: Place, facts: Facts) -> tuple[bool | None, str] | None:
    if place.service is not None or feature.editions is ALL:
        return None
    if place.family is None:
        return None, "the edition is unknown"
    if feature.editions is ALL_SINCE_2016_SP1:
        early = place.major == 13 and facts.get("product_level") == "RTM" and place.family != "enterprise"
        return (False, "needs 2016 SP1 in this edition") if early else None
    since = feature.editions.since.get(place.family)
    if since is not None and (place.major or 0) >= since:
        return None
    if since is not None and feature.editions.others is not None:
        return False, f"needs {_version(since)} in this edition ({place.edition})"
    return feature.editions.others, f"not in this edition ({place.edition})" if since is None else "not known for this edition"


def _by_component(feature: Feature, place: Place, facts: Facts) -> tuple[bool | None, str] | None:
    if feature.component is None:
        return None
    installed = flag(facts.get(feature.component))
    if place.service is not None:
        without = installed is False and feature.component == "is_xtp_supported"  # the one that a service tier decides
        return (False, "not in this service tier") if without else None
    if installed is None:
        return None, "whether the component is installed cannot be seen"
    return None if installed else (False, "component not installed")


def _by_level(feature: Feature, place: Place, facts: Facts) -> tuple[bool | None, str] | None:
    del facts
    if place.level is None or place.level >= feature.level:
        return None
    return False, f"needs compatibility level {feature.level}; this database has {place.level}"


def _version(major: int) -> str:
    return f"{YEARS[major]} ({major})" if major in YEARS else f"version {major}"
