"""A workaround for a bug of wasmtime-py, present in 48.0.0 and 50.0.1.

A host function of the type `result<T, E>` returns a value of either, and wasmtime-py tells by the value's class which
one it is. Where `T` has a case without a payload, as `read-outcome` has with `unchanged`, it takes an object of any
class for a `T`: such a function could never fail.
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
