"""What each dialect's ``procedures.py`` must offer: finding a procedure's signature, writing its call, reading its answer."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from ..models import OutputValue, ResultSet, Statement
from ..procedure_models import ProcedureSignature

Read = Callable[[str, Sequence[object]], Sequence[dict[str, object]]]
"""(one catalogue statement, its values) -> the rows as dicts by column alias, in the database of the call."""


@dataclass(frozen=True)
class PreparedCall:
    """A call ready to be sent, and the columns of what it answers: ``outputs`` names the parameters in the order in which
    their values come back."""

    statement: Statement
    signature: ProcedureSignature
    outputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a call answered, told apart: result sets, outputs, the return value."""

    result_sets: tuple[ResultSet, ...]
    outputs: tuple[OutputValue, ...] = ()
    return_value: object = None
    has_return: bool = False
    notes: tuple[str, ...] = ()


class Procedures(Protocol):
    """The dialect's side of a call."""

    def find(self, read: Read, name: str) -> tuple[ProcedureSignature, ...]:
        """All that ``name`` can mean: one procedure, or several overloads; nothing when there is none.

        Raises InvalidParameter for what is no name, or for a procedure that cannot be called, saying why."""

    def prepare(self, signature: ProcedureSignature, values: Mapping[str, object]) -> PreparedCall:
        """The call with ``values`` (by the parameters' own names, as ``type_mapper.check`` leaves them)."""

    def read_answer(self, call: PreparedCall, result_sets: Sequence[ResultSet]) -> Answer:
        """What came back, told apart. Works with a part of the result sets, too, as they came before an error."""


def procedures_for(dialect: str) -> Procedures:
    """The procedure calls of ``sqlserver`` or ``postgresql``; needs no driver."""
    return cast("Procedures", importlib.import_module(f".{dialect}.procedures", package=__package__))
