"""The Hugging Face Hub's HTTP API, as far as its client asks for it: repositories in memory, served on localhost."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

SHA = "a" * 40
TOKEN = "hf_secret"  # noqa: S105 - of the fake alone


@dataclass
class Repository:
    private: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    """What is said of files, where that is not so."""


@dataclass
class Hub:
    """What the fake holds, and what it was asked."""

    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    """Large files by their SHA-256."""
    asked: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    address: str = ""


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass

    def answer(self, status: int, content: Any = None, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        kind = "application/octet-stream" if isinstance(content, bytes) else "application/json"
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle_one(self) -> None:
        place = unquote(urlsplit(self.path).path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.hub.asked.append(f"{self.command} {place}")
        self.route(place, body)

    do_GET = do_HEAD = do_POST = do_PUT = handle_one  # noqa: N815 - names that the base class looks up

    def route(self, place: str, body: bytes) -> None:
        match place.strip("/").split("/"):
            case ["api", "repos", "create"]:
                self.create(json.loads(body))
            case ["objects", digest] if self.command == "PUT":
                self.hub.objects[digest] = body
                self.answer(200, {})
            case ["api", "models", user, name, *rest]:
                self.model(f"{user}/{name}", rest, body)
            case [user, name, "info", "lfs", "objects", "batch"]:
                self.large(json.loads(body))
            case [user, name, "resolve", _, *path]:
                self.resolve(f"{user}/{name}", "/".join(path))
            case ["api", "validate-yaml"]:
                self.answer(200, {"errors": [], "warnings": []})
            case _:
                self.answer(404, {"error": f"no such place: {place}"})

    def authorised(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def create(self, told: dict[str, Any]) -> None:
        if not self.authorised():
            self.answer(401, {"error": "Invalid username or password."})
            return
        repository = f"{told.get('organization') or 'me'}/{told['name']}"
        if repository.startswith("others/"):
            self.answer(403, {"error": "You don't have the rights to create a model under the namespace 'others'"})
            return
        known = repository in self.hub.repositories
        self.hub.repositories.setdefault(repository, Repository(private=told.get("visibility") == "private"))
        self.answer(409 if known else 200, {"url": f"{self.hub.address}/{repository}"})

    def model(self, name: str, rest: list[str], body: bytes) -> None:
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and not self.authorised()):
            self.answer(
                404 if self.authorised() else 401, {"error": "Repository not found"}, X_Error_Code="RepoNotFound"
            )
            return
        match rest:
            case [] | ["revision", _]:
                if rest and rest[1] not in ("main", SHA):
                    self.answer(404, {"error": "Invalid rev id"}, X_Error_Code="RevisionNotFound")
                    return
                self.answer(
                    200, {"id": name, "sha": SHA, "private": repository.private, "siblings": self.listed(repository)}
                )
            case ["preupload", _]:
                self.preupload(json.loads(body))
            case ["commit", _]:
                self.commit(name, repository, body)
            case ["tree", _, *_]:
                self.answer(
                    200,
                    [
                        {"type": "file", "path": file["rfilename"], "size": file["size"], "oid": "0" * 40}
                        for file in self.listed(repository)
                    ],
                )
            case _:
                self.answer(404, {"error": f"no such place: {rest}"})

    def listed(self, repository: Repository) -> list[dict[str, Any]]:
        return [
            {"rfilename": name, "size": repository.sizes.get(name, len(content)), "blobId": "0" * 40}
            for name, content in repository.files.items()
        ]

    def preupload(self, told: dict[str, Any]) -> None:
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith((".safetensors", ".png")) else "regular",
                "shouldIgnore": False,
                "oid": None,
            }
            for file in told["files"]
        ]
        self.answer(200, {"files": modes})

    def large(self, told: dict[str, Any]) -> None:
        objects = [
            {**file, "actions": {"upload": {"href": f"{self.hub.address}/objects/{file['oid']}", "header": {}}}}
            for file in told["objects"]
        ]
        self.answer(200, {"transfer": "basic", "objects": objects})

    def commit(self, name: str, repository: Repository, body: bytes) -> None:
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "header":
                self.hub.messages.append(value["summary"])
            elif line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                content = self.hub.objects[value["oid"]]
                assert hashlib.sha256(content).hexdigest() == value["oid"]
                repository.files[value["path"]] = content
        self.answer(
            200, {"commitUrl": f"{self.hub.address}/{name}/commit/{SHA}", "commitOid": SHA, "pullRequestUrl": None}
        )

    def resolve(self, name: str, path: str) -> None:
        repository = self.hub.repositories.get(name)
        content = repository.files.get(path) if repository else None
        if repository is None or content is None or (repository.private and not self.authorised()):
            self.answer(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound")
            return
        self.answer(200, content, ETag=f'"{hashlib.sha256(content).hexdigest()}"', X_Repo_Commit=SHA)


@contextmanager
def served() -> Iterator[Hub]:
    """Within, the fake answers at its address."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
