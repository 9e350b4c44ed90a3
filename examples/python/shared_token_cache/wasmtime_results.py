"""A workaround for a bug of wasmtime-py, present in 48.0.0 and 50.0.1.

A host function of the type `result<T, E>` returns a value of either type, which wasmtime-py
distinguishes by the value's class. If `T` has a case without a payload, such as `unchanged` of
`read-outcome`, wasmtime-py accepts an object of any class as a `T`: such a function could never fail.
"""

from __future__ import annotations

from typing import Any

from wasmtime.component import ResultType, Variant


class Failure(Variant):
    """The error of an import: a case of the contract's variant with its payload."""


def _lower(self: ResultType, store: Any, value: Any) -> Any:
    if isinstance(value, Failure):
        error = self.err
        # The single case left. The type is made anew for each call, so this changes no other call.
        self._cases = lambda: [("err", error)]
    return _lower_as_ever(self, store, value)


_lower_as_ever = ResultType._lower
ResultType._lower = _lower
