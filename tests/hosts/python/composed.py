"""Runs one scene with the composed component, on wasmtime-py's WASI and `wasi:http`."""

import json
import sys

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, Variant

HOME = "/home/user0"
TOKENS = "azure-identity:shared-token-cache/tokens@0.2.0"


def wasi_of(scene):
    granted, authority = scene["granted"], scene["authority"]
    variables = []
    # wasmtime-py has no filter for wasi:http, so denied requests are denied by the adapter alone.
    if granted["network"]:
        variables.append(("SHARED_TOKEN_CACHE_PLAIN_HTTP", authority))
    if granted["home_variable"]:
        variables.append(("HOME", HOME))
    wasi = WasiConfig()
    wasi.env = variables
    wasi.inherit_stderr()
    if granted["storage"]:
        wasi.preopen_dir(scene["home"], HOME)
    return wasi


def options_of(scene):
    options = Record()
    for name in ("username", "tenant-id", "client-id", "authentication-record", "cache-persistence-options"):
        setattr(options, name, None)
    setattr(options, "authority", scene["authority"])
    setattr(options, "additionally-allowed-tenants", [])
    setattr(options, "enable-guest-tenant-authentication", False)
    return options


def answer(scene):
    engine = Engine()
    linker = Linker(engine)
    linker.add_wasip2()
    linker.add_wasi_http()
    store = Store(engine)
    store.set_wasi(wasi_of(scene))
    store.set_wasi_http()
    instance = linker.instantiate(store, Component.from_file(engine, scene["components"]["composed"]))
    tokens = instance.get_export_index(store, TOKENS)
    function = instance.get_func(store, instance.get_export_index(store, scene["operation"], tokens))
    if scene["operation"] == "supported":
        return {"supported": function(store)}
    found = function(store, scene["scopes"], None, options_of(scene))
    if isinstance(found, Variant):
        return {"error": error_of(found)}
    return {"token": found.token, "expires_on": getattr(found, "expires-on")}


def error_of(error):
    details = error.payload
    if isinstance(details, str):
        return {"kind": error.tag, "reason": None, "message": details}
    candidates = [account.username for account in getattr(details, "candidates", [])]
    return {"kind": error.tag, "reason": details.reason, "message": details.message, "candidates": candidates}


if __name__ == "__main__":
    print(json.dumps(answer(json.load(sys.stdin))))
