"""The feature tables against the documents' lists, and the engine that reads them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from mssqlclient_mcp.dialects.features import Facts, Probe
from mssqlclient_mcp.dialects.postgresql import catalog_server as postgresql_server
from mssqlclient_mcp.dialects.postgresql import features as postgresql
from mssqlclient_mcp.dialects.sqlserver import catalog_server, identity
from mssqlclient_mcp.dialects.sqlserver.features import FEATURES, Feature, features, further_probes
from mssqlclient_mcp.models import FeatureSupport
from tests.catalog_facts import FACTS, OLDEST, faults, output_names

DOCUMENTS: dict[str, dict[str, Any]] = json.loads((FACTS / "features.json").read_text(encoding="utf-8"))
PROPERTIES: dict[str, Any] = json.loads((FACTS / "serverproperty.json").read_text(encoding="utf-8"))

ENTERPRISE_2022 = {
    "product_version": "16.0.4135.4",
    "product_level": "RTM",
    "edition": "Enterprise Edition (64-bit)",
    "engine_edition": "3",
    "compatibility_level": 160,
    "is_xtp_supported": "1",
    "is_polybase_installed": "0",
    "is_fulltext_installed": "1",
    "is_query_store_on": True,
    "is_cdc_enabled": False,
}


def of(facts: Facts, name: str) -> FeatureSupport:
    """One feature's verdict."""
    return next(feature for feature in features(facts) if feature.name == name)


def test_every_feature_of_the_documents_is_in_the_table() -> None:
    """And no other: the table has no feature out of thin air."""
    assert {feature.name for feature in FEATURES} == set(DOCUMENTS)
    assert len(FEATURES) >= 30


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_feature_says_what_the_documents_say(feature: Feature) -> None:
    """Version, editions and Azure; what the documents leave open for Azure is unknown, never a no."""
    told = DOCUMENTS[feature.name]
    assert feature.since == told["since_major"]
    assert feature.editions.text == told["editions"]
    for ours, theirs in (("azure_sql_db", "azure_sql_db"), ("managed_instance", "azure_sql_mi")):
        value = getattr(feature, ours)
        assert value == told[theirs] or (value is None and told[theirs] is False and told.get("unconfirmed"))
    level = re.search(r"compatibility level (\d+)", told.get("note", ""))
    assert feature.level == (int(level.group(1)) if level else 0)


def test_every_property_we_ask_for_is_in_the_documents() -> None:
    """A misspelt property would be NULL for ever."""
    asked = set(re.findall(r"SERVERPROPERTY\('(\w+)'\)", catalog_server.SERVER_FACTS))
    of_database = set(re.findall(r"DATABASEPROPERTYEX\(DB_NAME\(\), '(\w+)'\)", catalog_server.SERVER_FACTS))
    assert len(asked) > 10
    assert asked <= set(PROPERTIES["serverproperty"])
    assert of_database <= set(PROPERTIES["databasepropertyex"])


def test_no_sql_variant_reaches_the_driver() -> None:
    """FreeTDS cannot read it: each property is cast where it stands."""
    for probe in catalog_server.ALL_PROBES:
        bare = re.sub(r"CAST\((?:SERVERPROPERTY|DATABASEPROPERTYEX)\([^)]*(?:\(\)[^)]*)?\) AS", "", probe.sql)
        assert "PROPERTY" not in bare
        assert "value_in_use" not in re.sub(r"CAST\(k\.value_in_use AS int\)", "", probe.sql)


@pytest.mark.parametrize("probe", catalog_server.ALL_PROBES, ids=lambda probe: f"{probe.what} {probe.since}")
def test_every_view_and_column_of_a_probe_is_in_the_documents(probe: Probe) -> None:
    """Since the version that the probe is sent to."""
    assert faults(probe.sql, since=probe.since or OLDEST) == []


@pytest.mark.parametrize("major", range(13, 19))
def test_a_version_gets_no_newer_probe_than_itself(major: int) -> None:
    """2016 is never asked for what 2017 brought; three round trips are the most."""
    year = int(identity.PRODUCTS[min(major, 17)])
    sent = further_probes({"product_version": f"{major}.0.1.2", "engine_edition": "3"})
    assert len(sent) <= 2
    assert all(probe.since <= year for probe in sent)
    assert sent[-1].since >= min(year, 2022) - 2


def test_azure_sql_database_is_not_asked_by_its_version_number() -> None:
    """It says 12, whatever it can do."""
    sent = further_probes({"product_version": "12.0.2000.8", "engine_edition": "5"})
    assert sent[-1] is catalog_server.AZURE
    assert faults(sent[-1].sql, since=2022, azure=True) == []


@pytest.mark.parametrize(
    ("change", "feature", "supported", "reason"),
    [
        ({}, "temporal_tables", True, ""),
        ({"product_version": "15.0.1.2"}, "ledger", False, "needs 2022 (16); this is 2019 (15)"),
        ({"edition": "Express Edition (64-bit)"}, "online_index", False, "not in this edition (Express Edition (64-bit))"),
        ({"edition": "Standard Edition (64-bit)"}, "online_index", False, "not in this edition (Standard Edition (64-bit))"),
        ({}, "polybase", False, "component not installed"),
        ({"is_polybase_installed": None}, "polybase", None, "whether the component is installed cannot be seen"),
        ({"compatibility_level": 120}, "string_split", False, "needs compatibility level 130; this database has 120"),
        ({"product_version": None}, "string_agg", None, "the version is unknown"),
        ({"edition": None, "engine_edition": None}, "online_index", None, "the edition is unknown"),
        ({"engine_edition": "5"}, "linked_servers", False, "not in Azure SQL Database"),
        ({"engine_edition": "5", "is_xtp_supported": "0"}, "in_memory_oltp", False, "not in this service tier"),
        ({"engine_edition": "5", "is_xtp_supported": "1"}, "in_memory_oltp", True, ""),
        ({"engine_edition": "5", "is_xtp_supported": None}, "in_memory_oltp", True, ""),
        ({"engine_edition": "5", "product_version": "12.0.2000.8"}, "vector_type", True, ""),
        ({"engine_edition": "5"}, "json_index", None, "the documents do not say for Azure SQL Database"),
        ({"engine_edition": "8"}, "linked_servers", True, ""),
        ({"engine_edition": "6"}, "temporal_tables", None, "the documents do not say for Azure Synapse Analytics"),
        ({"is_cdc_enabled": False}, "change_data_capture", True, "supported, but off here"),
        ({"product_version": "17.0.1.2"}, "vector_index", True, "preview: needs PREVIEW_FEATURES"),
        (
            {"product_version": "13.0.1601.5", "edition": "Standard Edition (64-bit)"},
            "columnstore",
            False,
            "needs 2016 SP1 in this edition",
        ),
        ({"product_version": "13.0.1601.5"}, "columnstore", True, ""),
        (
            {"product_version": "14.0.1.2", "edition": "Standard Edition"},
            "transparent_data_encryption",
            False,
            "needs 2019 (15) in this edition (Standard Edition)",
        ),
        ({"edition": "Standard Edition", "is_encrypted": True}, "transparent_data_encryption", True, ""),
        ({"edition": "Express Edition with Advanced Services (64-bit)"}, "full_text", True, ""),
        (
            {"edition": "Express Edition (64-bit)"},
            "full_text",
            False,
            "needs 2025 (17) in this edition (Express Edition (64-bit))",
        ),
        ({"product_version": "15.0.1.2", "edition": "Standard Edition"}, "polybase", None, "not known for this edition"),
    ],
)
def test_the_engine_judges_by_place_version_edition_component_and_level(
    change: dict[str, object], feature: str, supported: bool | None, reason: str
) -> None:
    """True, false or unknown, with the reason in words."""
    found = of({**ENTERPRISE_2022, **change}, feature)
    assert (found.supported, found.reason) == (supported, reason)


def test_a_switch_tells_whether_it_is_on() -> None:
    """Only where the feature is supported, and only when it can be seen."""
    assert of(ENTERPRISE_2022, "query_store").enabled is True
    assert of(ENTERPRISE_2022, "change_data_capture").enabled is False
    assert of(ENTERPRISE_2022, "ledger").enabled is None
    assert of({**ENTERPRISE_2022, "product_version": "15.0.1.2", "is_ledger_on": True}, "ledger").enabled is None


@pytest.mark.parametrize(
    ("facts", "can_write"),
    [
        ({"is_sysadmin": 1}, True),
        ({"is_sysadmin": 0, "is_db_owner": 1}, True),
        ({"is_sysadmin": 0, "is_datawriter": 0, "may_insert": 1}, True),
        ({"is_sysadmin": 0, "is_datawriter": 0, "may_insert": 0, "write_grants": 2}, True),
        ({"is_sysadmin": 0, "is_datawriter": 0, "may_insert": 0, "write_grants": 0}, False),
        ({"is_sysadmin": 0, "is_datawriter": 0, "may_insert": 0}, None),
        ({"is_sysadmin": 1, "updateability": "READ_ONLY"}, False),
        ({}, None),
    ],
)
def test_whether_the_login_can_write_follows_from_its_rights(facts: dict[str, object], can_write: bool | None) -> None:
    """A right anywhere is enough; what cannot be seen is unknown."""
    assert identity.rights(facts).can_write is can_write


def test_postgresql_features_follow_version_setting_and_extension() -> None:
    """Thirty and more, from 13 to 18."""
    facts = {
        "version_number": 160004,
        "settings": '{"wal_level": "logical", "jit": "off"}',
        "extensions": '{"vector": "", "pg_trgm": "1.6"}',
    }
    found = {feature.name: feature for feature in postgresql.features(facts)}
    assert len(found) >= 30
    assert found["json_table"].reason == "needs PostgreSQL 17; this is 16"
    assert (found["logical_replication"].supported, found["logical_replication"].enabled) == (True, True)
    assert found["jit_compilation"].enabled is False
    assert (found["vector_search"].supported, found["vector_search"].enabled) == (False, False)
    assert found["trigram_search"].supported is True
    assert "not on this server" in found["geographic_types"].reason


def test_postgresql_is_asked_for_every_setting_and_extension_of_its_table() -> None:
    """A feature whose switch is never asked for would be unknown for ever."""
    for feature in postgresql.FEATURES:
        assert feature.setting is None or feature.setting in postgresql_server.SETTINGS
        assert feature.extension is None or feature.extension in postgresql_server.EXTENSIONS


def test_sql_server_is_asked_for_every_switch_and_component_of_its_table() -> None:
    """By one of the probes."""
    asked = {name for probe in catalog_server.ALL_PROBES for name in output_names(probe.sql)}
    for feature in FEATURES:
        assert feature.switch is None or feature.switch in asked
        assert feature.component is None or feature.component in asked
