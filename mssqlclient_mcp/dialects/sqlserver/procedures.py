"""Stored procedures of SQL Server: implements ``dialects.procedures.Procedures``."""

from __future__ import annotations

from .call_batch import prepare, read_answer
from .signature import find

__all__ = ["find", "prepare", "read_answer"]
