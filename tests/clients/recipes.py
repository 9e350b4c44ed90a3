"""Runs the recipes of docs/containers.md and docs/agents.md, as they are written there.

    python recipes.py < SETTINGS

A recipe that names a program which is not on this machine runs up to there: a stand-in records how
the program is called, and the rest of the recipe is done with what it was given. Ports are replaced
by free ones. The settings are JSON: `folder`, an empty folder; `home`, a home with a sign-in;
`policy`, `program`, `tokens` by scope; `environment`, variables; `cloud`, those of `cloud.py`;
`cluster` and `certificate`, of its API server. A line is printed for each recipe.
"""

import base64
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
import time
import tomllib

import yaml

SETTINGS = json.load(sys.stdin)
ROOT = pathlib.Path(__file__).parents[2]
FOLDER, HOME = pathlib.Path(SETTINGS["folder"]), pathlib.Path(SETTINGS["home"])
TOKENS = SETTINGS["tokens"]
VAULT = TOKENS["https://vault.azure.net/.default"]
GATEWAY = "host.docker.internal"
SOON = 60

CLIENT = """
from azure.identity import DefaultAzureCredential
print(DefaultAzureCredential().get_token("https://vault.azure.net/.default").token)
"""
# For a Python without azure-identity.
PLAIN = """
import json, os, urllib.request
url = os.environ["IDENTITY_ENDPOINT"] + "?api-version=2019-08-01&resource=https://vault.azure.net"
request = urllib.request.Request(url, headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]})
print(json.load(urllib.request.urlopen(request))["access_token"])
"""


class Skipped(Exception):
    """A program that a recipe cannot do without is not on this machine."""


def blocks(page, heading):
    """The blocks of code in a section: pairs of language and text."""
    text = (ROOT / "docs" / page).read_text()
    section = f"\n{text}".split(f"\n{heading}\n")[1].split("\n## ")[0]
    parts = section.split("\n```")[1::2]
    return [(part.split("\n", 1)[0], part.split("\n", 1)[1] + "\n") for part in parts]


def block(page, heading, language, number=0):
    return [text for kind, text in blocks(page, heading) if kind == language][number]


def environment(more=None):
    paths = [FOLDER / "bin", pathlib.Path(sys.executable).parent, *map(pathlib.Path, os.environ["PATH"].split(":"))]
    variables = {**SETTINGS["environment"], "HOME": str(HOME), "XDG_RUNTIME_DIR": str(FOLDER / "run")}
    return {**variables, "PATH": ":".join(map(str, paths)), **(more or {})}


def shell(script, more=None, code=0):
    """Runs lines of a recipe, as a user types them; returns the output."""
    command = ["/bin/sh", "-euc", script]
    ended = subprocess.run(command, cwd=FOLDER, env=environment(more), capture_output=True, text=True, timeout=300)
    assert ended.returncode == code, f"exit code {ended.returncode}: {ended.stderr.strip()}"
    return ended.stdout


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def require(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skipped(f"there is no {program} in PATH")


def stand_in(name):
    """A program of this name that writes its arguments to a file, one a line."""
    file = FOLDER / "bin" / name
    file.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {FOLDER}/{name}.arguments\n")
    file.chmod(0o755)
    return FOLDER / f"{name}.arguments"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def until(what, holds):
    deadline = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < deadline, f"{what} was waited for"
        time.sleep(0.02)


@contextlib.contextmanager
def agent(script, output):
    """Runs a recipe's `serve` until the end of the block, and waits for its output file."""
    command = ["/bin/sh", "-euc", f"{script.rstrip()}\n"]
    with open(FOLDER / "agent.log", "w") as log:
        # In a group of its own, because the shell may not pass signals on.
        process = subprocess.Popen(command, cwd=FOLDER, env=environment(), stderr=log, start_new_session=True)
    try:
        until("the agent", lambda: process.poll() is not None or "may have" in (FOLDER / "agent.log").read_text())
        assert process.poll() is None, (FOLDER / "agent.log").read_text()
        until(output, (FOLDER / output).read_text)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait(timeout=SOON)


def container(command, variables, binds=(), read_write=()):
    """A command that runs `command` as a container of the host's network does: with programs, Python, an
    own file system, and a name for the host."""
    require("bwrap")
    hosts = FOLDER / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {GATEWAY}\n")
    words = ["bwrap", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for path in map(pathlib.Path, ["/usr", "/bin", "/lib", "/lib64", sys.base_prefix, sys.prefix]):
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists() and (path == pathlib.Path("/usr") or not path.is_relative_to("/usr")):
            words += ["--ro-bind", str(path), str(path)]
    for source, target in [(hosts, "/etc/hosts"), *binds]:
        words += ["--ro-bind", str(source), target]
    for source, target in read_write:
        words += ["--bind", str(source), target]
    variables = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", **variables}
    return {"args": [*words, "--", *command], "env": variables}


def ended(command):
    done = subprocess.run(**command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr.strip()
    return done.stdout.strip()


def app_env():
    return dict(line.split("=", 1) for line in (FOLDER / "app.env").read_text().splitlines())


def write_app(text, folder=FOLDER):
    folder.mkdir(exist_ok=True)
    (folder / "app.py").write_text(text)


class Docker:
    """A Docker daemon that records the first request of a command and refuses it."""

    def __init__(self):
        require("docker")
        self.requests = []
        path = FOLDER / "docker.sock"
        recorded = self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("API-Version", "1.43")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_GET(self):
                self.answer(200, b"{}")

            do_HEAD = do_GET

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                recorded.append((self.path, json.loads(body or b"{}"), self.headers))
                self.answer(500, b'{"message":"recorded"}')

            def address_string(self):
                return "a Unix socket"

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True

            def get_request(self):
                return super().get_request()[0], ("", 0)

        path.unlink(missing_ok=True)
        self.server = Server(str(path), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.environment = {"DOCKER_HOST": f"unix://{path}"}

    def request(self, script, part, more=None, code=125):
        """Runs a script with the real docker; returns the request whose path has `part`."""
        self.requests.clear()
        shell(script, {**self.environment, **(more or {})}, code)
        found = [request for request in self.requests if part in request[0]]
        assert len(found) == 1, f"docker sent {[path for path, *_ in self.requests]}"
        return found[0]


def serve_containers(form="docker"):
    """The agent of docs/containers.md, at a free port."""
    script = block("containers.md", "# Give tokens to containers and other sandboxes", "sh", 2)
    return agent(script.replace("4180", str(free_port())).replace("docker > app.env", f"{form} > app.env"), "app.env")


def run_with_a_policy():
    write_app(CLIENT)
    same(shell(block("containers.md", "# Give tokens to containers and other sandboxes", "sh", 0)).strip(), VAULT)


def run_with_a_scope():
    write_app(CLIENT)
    same(shell(block("containers.md", "# Give tokens to containers and other sandboxes", "sh", 1)).strip(), VAULT)


def bubblewrap():
    require("bwrap")
    write_app(PLAIN, FOLDER / "app")
    shutil.copy(ROOT / "examples/sandbox/forward.py", FOLDER / "app")
    serve, sandbox = (block("containers.md", "## Bubblewrap", "sh", number) for number in (0, 1))
    with agent(serve, "app.env"):
        same(shell(sandbox).strip(), VAULT)


def bubblewrap_with_run():
    require("bwrap")
    write_app(PLAIN + f"assert not os.path.exists({str(HOME / '.IdentityService')!r})\n", FOLDER / "app")
    same(shell(block("containers.md", "## Bubblewrap", "sh", 2)).strip(), VAULT)


def docker_run():
    docker = Docker()
    write_app(CLIENT)
    with serve_containers():
        path, body, _ = docker.request(block("containers.md", "## Docker", "sh"), "/containers/create")
        same(dict(line.split("=", 1) for line in body["Env"]), app_env())
        same(body["HostConfig"]["ExtraHosts"], [f"{GATEWAY}:host-gateway"])
        assert GATEWAY in app_env()["IDENTITY_ENDPOINT"], app_env()["IDENTITY_ENDPOINT"]
        # What the container gets, in a sandbox where the host has that name.
        variables = dict(line.split("=", 1) for line in body["Env"])
        command = container([sys.executable, "/app/app.py"], variables, [(FOLDER / "app.py", "/app/app.py")])
        same(ended(command), VAULT)


def compose():
    file = yaml.safe_load(block("containers.md", "## Compose", "yaml"))
    same(file["services"]["app"]["env_file"], "app.env")
    same(file["services"]["app"]["extra_hosts"], [f"{GATEWAY}:host-gateway"])
    with serve_containers("compose"):
        printed = yaml.safe_load((FOLDER / "app.env").read_text())["environment"]
        write_app(CLIENT)
        command = container([sys.executable, "/app/app.py"], printed, [(FOLDER / "app.py", "/app/app.py")])
        same(ended(command), VAULT)


def dev_container():
    docker = Docker()
    options = json.loads(block("containers.md", "## Dev containers", "json"))["runArgs"]
    options = [str(FOLDER / "app.env") if option.endswith("/app.env") else option for option in options]
    with serve_containers():
        _, body, _ = docker.request(f"docker run {' '.join(options)} my-image", "/containers/create")
        same(dict(line.split("=", 1) for line in body["Env"]), app_env())
        same(body["HostConfig"]["ExtraHosts"], [f"{GATEWAY}:host-gateway"])
    with serve_containers("devcontainer"):
        printed = json.loads((FOLDER / "app.env").read_text())["containerEnv"]
        write_app(CLIENT)
        command = container([sys.executable, "/app/app.py"], printed, [(FOLDER / "app.py", "/app/app.py")])
        same(ended(command), VAULT)


def kubernetes():
    text = block("containers.md", "## Kubernetes, as a sidecar", "yaml").replace("4180", str(free_port()))
    pod = yaml.safe_load(text)
    same(pod["volumes"], [{"name": "keys", "emptyDir": {"medium": "Memory"}}])
    tokens, app = pod["containers"]
    keys, image = FOLDER / "pod-keys", FOLDER / "image"
    for folder in (keys, image):
        folder.mkdir(exist_ok=True)
    program, script = image / "shared-token-cache", image / "my-app"
    shutil.copy(SETTINGS["program"], program)
    script.write_text(f"#!{sys.executable}\n{CLIENT}")
    script.chmod(0o755)
    same([mount["mountPath"] for mount in tokens["volumeMounts"] + app["volumeMounts"]], ["/keys", "/keys"])
    same([mount.get("readOnly", False) for mount in tokens["volumeMounts"] + app["volumeMounts"]], [False, True])
    variables = {**SETTINGS["environment"], "PATH": "/image:/usr/bin:/bin"}
    binds = [(image, "/image")]
    sidecar = container(
        ["/image/shared-token-cache", *tokens["args"]],
        {**variables, "HOME": "/home/user0"},
        [*binds, (FOLDER / "policy.toml", "/etc/stc/policy.toml")],
        [(keys, "/keys"), (HOME, "/home/user0")],
    )
    process = subprocess.Popen(**sidecar, stderr=subprocess.DEVNULL)
    try:
        given = {variable["name"]: variable["value"] for variable in app["env"]}
        same(ended(container(app["command"], {**variables, **given}, [*binds, (keys, "/keys")])), VAULT)
    finally:
        process.terminate()
        process.wait(timeout=SOON)


def a_token_that_lives_long_enough():
    script = block("agents.md", "## A token that lives long enough", "sh")
    same(shell(script).strip(), TOKENS["https://cognitiveservices.azure.com/.default"])


def docker_sandboxes():
    arguments = stand_in("sbx")
    shell(block("agents.md", "## Docker sandboxes", "sh"))
    words = arguments.read_text().splitlines()
    same(words[:3], ["secret", "set", "azure-openai"])
    command = words[words.index("--command") + 1]
    same(shell(command).strip(), TOKENS["https://cognitiveservices.azure.com/.default"])


def codex():
    auth = tomllib.loads(block("agents.md", "## Codex", "text"))["model_providers"]["azure"]["auth"]
    command = [auth["command"], *auth["args"]]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=SOON)
    same(done.stdout.strip(), TOKENS["https://cognitiveservices.azure.com/.default"])


def claude_code():
    helper = json.loads(block("agents.md", "## Claude", "json"))["apiKeyHelper"]
    same(shell(helper).strip(), TOKENS["https://ai.azure.com/.default"])


def claude_cowork():
    shell(block("agents.md", "## Claude", "sh"))
    # It is started without arguments.
    for more in ({}, {"SHARED_TOKEN_CACHE_MIN_VALIDITY": "58m"}):
        same(shell(str(HOME / ".local/share/stc/stc-foundry"), more).strip(), TOKENS["https://ai.azure.com/.default"])


def links():
    said = shell(block("agents.md", "## Azure SDKs and Terraform", "sh"))
    answer = json.loads(said[said.index("{") :])
    same(answer["accessToken"], VAULT)


def kubectl():
    require("kubectl")
    users = yaml.safe_load(block("agents.md", "## kubectl", "yaml"))["users"]
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "demo",
        "clusters": [
            {
                "name": "demo",
                "cluster": {"server": SETTINGS["cluster"], "certificate-authority": SETTINGS["certificate"]},
            }
        ],
        "contexts": [{"name": "demo", "context": {"cluster": "demo", "user": users[0]["name"]}}],
        "users": users,
    }
    (FOLDER / "kubeconfig").write_text(json.dumps(config))
    assert "v1.32.0-contoso" in shell("kubectl --kubeconfig kubeconfig get --raw /version")


def git():
    require("git")
    shell(block("agents.md", "## git", "sh"))
    listed = shell("git ls-remote https://dev.azure.com/contoso/_git/demo", {**SETTINGS["cloud"], "GIT_TERMINAL_PROMPT": "0"})
    assert listed.endswith("refs/heads/demo\n"), listed


def registries():
    docker = Docker()
    shell(block("agents.md", "## Containers", "sh"))
    folder = HOME / ".docker"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(block("agents.md", "## Containers", "json"))
    more = {**SETTINGS["cloud"], "PATH": f"{HOME}/.local/bin:{environment()['PATH']}"}
    script = "docker pull contoso.azurecr.io/my-image"
    _, _, headers = docker.request(script, "/images/create", more, code=1)
    sent = json.loads(base64.urlsafe_b64decode(headers["X-Registry-Auth"]))
    same((sent["username"], sent["password"]), ("00000000-0000-0000-0000-000000000000", "token-of-contoso.azurecr.io"))


def databases():
    line = shell(block("agents.md", "## Databases", "sh"))
    same(line, f"PGPASSWORD={TOKENS['https://ossrdbms-aad.database.windows.net/.default']}\n")


RECIPES = {
    "containers.md": [
        run_with_a_policy,
        run_with_a_scope,
        bubblewrap,
        bubblewrap_with_run,
        docker_run,
        compose,
        dev_container,
        kubernetes,
    ],
    "agents.md": [
        a_token_that_lives_long_enough,
        docker_sandboxes,
        codex,
        claude_code,
        claude_cowork,
        links,
        kubectl,
        git,
        registries,
        databases,
    ],
}

for name in ("bin", "run"):
    (FOLDER / name).mkdir(mode=0o700)
(FOLDER / "bin/shared-token-cache").symlink_to(SETTINGS["program"])
shutil.copy(SETTINGS["policy"], FOLDER / "policy.toml")
for page, recipes in RECIPES.items():
    for recipe in recipes:
        what = f"{page}: {recipe.__name__.replace('_', ' ')}"
        try:
            recipe()
            print(f"ok {what}", flush=True)
        except Skipped as why:
            print(f"skipped {what}: {why}", flush=True)
        except Exception as why:
            # A line is one result.
            print(f"FAILED {what}: {type(why).__name__}: {' | '.join(str(why).splitlines())}", flush=True)
