"""The component in wasmtime: compiled and linked once per process, instantiated per thread."""

from __future__ import annotations

import os
import threading
from typing import Any, Callable, Dict

from azure.core.exceptions import ClientAuthenticationError
from wasmtime import Config, Engine, Store, WasmtimeError
from wasmtime.component import Component as Compiled
from wasmtime.component import Linker, Record, Variant

NAME = "azure-identity:shared-token-cache/{}@0.2.0"
IMPORTS = {
    "cache-file": ("read", "replace", "supported"),
    "https": ("post-form", "get-settings", "close-idle-connections"),
    "clock": ("now",),
    "log": ("write",),
}
EXPORTS = ("get-token", "supported")

# The limits of a call. Parsing 16 MiB takes some 130 million instructions, and a few times that
# size in memory.
MOST_INSTRUCTIONS = 10_000_000_000
MOST_MEMORY = 1 << 30
# A call needs about ten imports. Without a limit, a component could fill the log or try out refresh
# tokens.
MOST_IMPORT_CALLS = 200

# wasmtime-py converts values through globals, so this lock admits one thread at a time. An import
# releases it during its work, such as a wait for the network.
_wasmtime = threading.Lock()

Imports = Dict[str, Dict[str, Callable[..., Any]]]


class Component:
    """The compiled component, linked with the four imports and nothing else."""

    _loaded: dict[str, Component] = {}

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Component:
        """Compiles a file, which takes half a second, or returns the cached result."""
        path = os.path.realpath(path)
        with _wasmtime:
            if path not in cls._loaded:
                cls._loaded[path] = cls(path)
            return cls._loaded[path]

    def __init__(self, path: str) -> None:
        config = Config()
        config.consume_fuel = True
        self._engine = Engine(config)
        self._compiled = Compiled.from_file(self._engine, path)
        self._linker = Linker(self._engine)
        with self._linker.root() as root:
            for interface, functions in IMPORTS.items():
                with root.add_instance(NAME.format(interface)) as instance:
                    for function in functions:
                        instance.add_func(function, _forward(interface, function))

    def instantiate(self, imports: Imports) -> Instance:
        with _wasmtime:
            store = Store(self._engine)
            store.set_limits(memory_size=MOST_MEMORY, table_elements=100_000, instances=16, tables=4, memories=4)
            store.set_fuel(MOST_INSTRUCTIONS)
            return Instance(store, self._linker.instantiate(store, self._compiled), imports)


class Instance:
    """An instance, for one thread at a time. After an exception it must not be used again."""

    def __init__(self, store: Store, instance: Any, imports: Imports) -> None:
        tokens = instance.get_export_index(store, NAME.format("tokens"))
        self._functions = {
            name: instance.get_func(store, instance.get_export_index(store, name, tokens)) for name in EXPORTS
        }
        self._store = store
        self._imports = imports

    def call(self, function: str, *arguments: Any) -> Any:
        """Calls a function of the interface `tokens`."""
        call, outer = _Call(self._imports), _current.call
        _current.call = call
        try:
            with _wasmtime:
                self._store.set_fuel(MOST_INSTRUCTIONS)
                return _readable(self._functions[function](self._store, *arguments))
        except (WasmtimeError, _ImportFailed) as error:
            if call.raised:
                raise call.raised
            raise ClientAuthenticationError(message=f"the component failed: {error}") from error
        finally:
            _current.call = outer


def record(**fields: Any) -> Record:
    """A record of the contract, with hyphens in its field names."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def _readable(value: Any) -> Any:
    """The same value with underscores in the field names."""
    if isinstance(value, Record):
        readable = Record()
        for name, field in vars(value).items():
            setattr(readable, name.replace("-", "_"), _readable(field))
        return readable
    if isinstance(value, Variant):
        return Variant(value.tag, _readable(value.payload))
    return [_readable(item) for item in value] if isinstance(value, list) else value


class _Call:
    def __init__(self, imports: Imports) -> None:
        self.imports = imports
        self.left = MOST_IMPORT_CALLS
        self.raised: BaseException | None = None


class _Current(threading.local):
    """This thread's call. Instances share a linker, whose functions find the imports here."""

    call: _Call | None = None


_current = _Current()


class _ImportFailed(Exception):
    """Ends the component's call; `_Call.raised` has the exception."""


def _forward(interface: str, function: str) -> Callable[..., Any]:
    def forward(_: Any, *arguments: Any) -> Any:
        call = _current.call
        _wasmtime.release()
        try:
            call.left -= 1
            if call.left < 0:
                raise ClientAuthenticationError(message="the component calls its imports without end")
            return call.imports[interface][function](*arguments)
        except BaseException as error:
            # wasmtime-py swallows a KeyboardInterrupt.
            call.raised = error
            raise _ImportFailed from None
        finally:
            _wasmtime.acquire()

    return forward
