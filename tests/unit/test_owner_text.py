"""INSTRUCTIONS_FILE: read when the settings are read, so that a mistake shows at the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from mssqlclient_mcp.config import load_config
from mssqlclient_mcp.errors import ConfigInvalid

URL = {"DATABASE_URL": "postgresql://h/d"}
MOST_BYTES = 16 * 1024


def owner_text(path: Path) -> str:
    """The text that the settings then have."""
    return load_config({**URL, "INSTRUCTIONS_FILE": str(path)}).owner_text


def test_without_the_setting_there_is_no_text() -> None:
    """The owner need not say anything."""
    assert load_config(URL).owner_text == ""


@pytest.mark.parametrize("raw", [b"Prefer sales.\n", b"\xef\xbb\xbfPrefer sales.\r\n\r\n", b"\n  \nPrefer sales."])
def test_the_text_is_read_without_blank_lines_around_it_and_without_a_mark(tmp_path: Path, raw: bytes) -> None:
    """Editors leave a byte order mark and empty lines."""
    file = tmp_path / "owner.md"
    file.write_bytes(raw)
    assert owner_text(file) == "Prefer sales."


def test_sixteen_kibibytes_fit_and_no_more(tmp_path: Path) -> None:
    """Every assistant pays for the text at each start; the error tells how long it is allowed to be."""
    file = tmp_path / "owner.md"
    file.write_bytes(b"x" * MOST_BYTES)
    assert len(owner_text(file)) == MOST_BYTES
    file.write_bytes(b"x" * (MOST_BYTES + 1))
    with pytest.raises(ConfigInvalid, match=r"INSTRUCTIONS_FILE.*16 KiB") as refused:
        owner_text(file)
    assert refused.value.details["setting"] == "INSTRUCTIONS_FILE"


def test_a_file_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    """Garbled instructions are worse than none; the bytes themselves do not show."""
    file = tmp_path / "owner.md"
    file.write_bytes("Müller".encode("latin-1"))
    with pytest.raises(ConfigInvalid, match=r"INSTRUCTIONS_FILE.*UTF-8") as refused:
        owner_text(file)
    assert refused.value.details["setting"] == "INSTRUCTIONS_FILE"


@pytest.mark.parametrize("name", [".", "missing.md"])
def test_a_folder_and_a_missing_file_are_errors(tmp_path: Path, name: str) -> None:
    """Nothing is left out in silence."""
    with pytest.raises(ConfigInvalid, match=r"INSTRUCTIONS_FILE") as refused:
        owner_text(tmp_path / name)
    assert refused.value.details["setting"] == "INSTRUCTIONS_FILE"


def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason of the system stands in the error."""
    file = tmp_path / "owner.md"
    file.write_text("x", encoding="utf-8")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ConfigInvalid, match=r"INSTRUCTIONS_FILE.*Permission denied"):
        owner_text(file)
