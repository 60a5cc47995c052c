"""What a server is and can do, as text and structured content."""

from __future__ import annotations

from collections.abc import Iterable

from ..models import FeatureSupport, LoginRights, ServerCapability, ServerIdentity
from .content import content

CAPABILITIES_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "server": {"type": "object"},
        "deployment": {"type": "string"},
        "login": {"type": "object"},
        "features": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "supported": {"type": ["boolean", "null"]},
                    "enabled": {"type": "boolean"},
                    "reason": {"type": "string"},
                },
                "required": ["name", "supported"],
            },
        },
        "notes": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["server", "deployment", "login", "features"],
}


def format_capabilities_report(found: ServerCapability) -> tuple[str, dict[str, object]]:
    """Product, place, rights of the login, then the features: there, off, missing, unknown, each with its reason."""
    structured: dict[str, object] = {
        "server": content(found.identity),
        "deployment": found.deployment,
        "login": content(found.login, nulls=True),
        "features": [_feature(feature) for feature in found.features],
    }
    if found.notes:
        structured["notes"] = list(found.notes)
    lines = [*_identity_lines(found.identity, found.deployment), *_login_lines(found.login), *_feature_lines(found.features)]
    return "\n".join([*lines, *found.notes]), structured


def _feature(feature: FeatureSupport) -> dict[str, object]:
    shown: dict[str, object] = {"name": feature.name, "supported": feature.supported}
    if feature.enabled is not None:
        shown["enabled"] = feature.enabled
    if feature.reason:
        shown["reason"] = feature.reason
    return shown


def _identity_lines(identity: ServerIdentity, deployment: str) -> Iterable[str]:
    yield identity.product + (f", {identity.edition}" if identity.edition else "")
    facts = {
        "version": identity.version,
        "engine edition": identity.engine_edition,
        "runs as": deployment,
        "host OS": identity.host_os,
        "database": identity.database,
        "compatibility level": identity.compatibility_level,
        "collation": identity.collation,
        "server collation": identity.server_collation,
        "system databases": ", ".join(identity.system_databases) or None,
        "full version": " ".join((identity.version_text or "").split()) or None,
    }
    yield from (f"{name}: {value}" for name, value in facts.items() if value is not None)


def _login_lines(login: LoginRights) -> Iterable[str]:
    yield f"login: {login.login or 'unknown'} (database user {login.user or 'unknown'})"
    rights = {
        "may write": login.can_write,
        "administrator": login.administrator,
        "owner of the database": login.database_owner,
    }
    yield "; ".join(f"{name}: {_yes(value)}" for name, value in rights.items())
    lists = {
        "server roles": login.server_roles,
        "database roles": login.database_roles,
        "server permissions": login.server_permissions,
        "database permissions": login.database_permissions,
    }
    yield from (f"{name}: {', '.join(values)}" for name, values in lists.items() if values)


def _feature_lines(features: tuple[FeatureSupport, ...]) -> Iterable[str]:
    groups = {
        "supported": [f for f in features if f.supported and f.enabled is not False],
        "supported, but off here": [f for f in features if f.supported and f.enabled is False],
        "not supported": [f for f in features if f.supported is False],
        "unknown": [f for f in features if f.supported is None],
    }
    for name, members in groups.items():
        if members and name.startswith("supported"):
            yield f"{name} ({len(members)}): {', '.join(member.name for member in members)}"
        elif members:
            yield f"{name} ({len(members)}):"
            yield from (f"- {member.name}: {member.reason}" for member in members)


def _yes(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"
