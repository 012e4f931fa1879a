"""Who calls, and in which projects they may: bearer tokens and client certificates."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from transferscore.errors import InputError
from transferscore_server.errors import denied, unauthenticated

__all__ = [
    "ANYBODY",
    "Caller",
    "Credential",
    "caller",
    "hash_token",
    "identify",
    "read_credentials",
    "require_project",
    "set_caller",
]

_PREFIX = "sha256:"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a call.

    Attributes:
        name: What logs and limits know them by.
        projects: Projects that they may use; None for all.
    """

    name: str
    projects: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves a caller: the hash of a token, never the token, or a certificate's subject.

    Attributes:
        caller: Whom it proves.
        token_digest: SHA-256 of the token, 32 bytes; empty for a certificate.
        subject: Common name of a client certificate; empty for a token.
    """

    caller: Caller
    token_digest: bytes = b""
    subject: str = ""


ANYBODY = Caller("anybody")
_CALLER: ContextVar[Caller] = ContextVar("caller", default=ANYBODY)


def caller() -> Caller:
    """Who makes the call that runs now; anybody where there is no socket."""
    return _CALLER.get()


def set_caller(who: Caller) -> None:
    """Let the call that runs now be theirs."""
    _CALLER.set(who)


def require_project(project: str) -> str:
    """The project, if the caller may use it; whether it holds anything is not told otherwise.

    Raises:
        CallError: PERMISSION_DENIED.
    """
    who = _CALLER.get()
    if who.projects is not None and project not in who.projects:
        own = ", ".join(sorted(who.projects))
        raise denied(
            "PROJECT_NOT_ALLOWED",
            f"{who.name!r} may not use the project {project[:63]!r}, but only: {own[:500]}.",
        )
    return project


def hash_token(token: str) -> str:
    """How a token is written in the file of tokens."""
    return _PREFIX + hashlib.sha256(token.encode()).hexdigest()


def identify(
    credentials: Sequence[Credential], authorization: str | None, subjects: Iterable[str]
) -> Caller:
    """Whom a call's token or certificate proves. Every token is compared, in constant time.

    Args:
        credentials: All that there are; empty lets anybody in.
        authorization: The call's `authorization` header.
        subjects: Common names of the client certificate, where there is one.

    Raises:
        CallError: UNAUTHENTICATED.
    """
    if not credentials:
        return ANYBODY
    named = set(subjects)
    found = [c.caller for c in credentials if c.subject and c.subject in named]
    if found:
        return found[0]
    scheme, _, token = (authorization or "").partition(" ")
    digest = hashlib.sha256(token.strip().encode("utf-8", "replace")).digest()
    found = [c.caller for c in credentials if hmac.compare_digest(c.token_digest, digest)]
    if scheme.lower() != "bearer" or not found:
        raise unauthenticated(
            "Expected the header `authorization: Bearer TOKEN` with a token that this server "
            "knows, or a client certificate that it knows."
        )
    return found[0]


def read_credentials(file: str | None, tokens: str | None) -> tuple[Credential, ...]:
    """The credentials of a file and of the environment.

    A line of the file is `NAME PROJECTS SECRET`. PROJECTS are separated by commas, `*` is all.
    SECRET is `sha256:HEX` of a token, as `transferscore serve --hash-token` writes it, or
    `cn:SUBJECT` for a client certificate. `tokens` holds such lines separated by semicolons, where
    SECRET may be the token itself.

    Raises:
        InputError: The file cannot be read, or a line is not of that form.
    """
    found: list[Credential] = []
    if file:
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The file of tokens `{file}` cannot be read: {error}.") from None
        found += _parsed(lines, f"`{file}`", plain=False)
    if tokens:
        found += _parsed(tokens.split(";"), "`TS_TOKENS`", plain=True)
    return tuple(found)


def _parsed(lines: Iterable[str], where: str, *, plain: bool) -> list[Credential]:
    rows = [(number, line.split()) for number, line in enumerate(lines, 1)]
    rows = [(n, words) for n, words in rows if words and not words[0].startswith("#")]
    return [_credential(words, f"{where}, line {number}", plain=plain) for number, words in rows]


def _credential(words: Sequence[str], where: str, *, plain: bool) -> Credential:
    # What was written may be a secret, so that no message here repeats it.
    if len(words) != 3:
        raise InputError(f"{where}: expected `NAME PROJECTS SECRET`; got {len(words)} words.")
    name, scope, secret = words
    projects = None if scope == "*" else frozenset(scope.split(","))
    who = Caller(name, projects)
    if secret.startswith("cn:"):
        return Credential(who, subject=secret[3:])
    if secret.startswith(_PREFIX):
        try:
            digest = bytes.fromhex(secret[len(_PREFIX) :])
        except ValueError:
            digest = b""
        if len(digest) != 32:
            raise InputError(f"{where}: `sha256:` must be followed by 64 hexadecimal digits.")
        return Credential(who, token_digest=digest)
    if not plain:
        raise InputError(
            f"{where}: a file holds hashed tokens only: `sha256:HEX`, as written by "
            "`transferscore serve --hash-token`, or `cn:SUBJECT`."
        )
    return Credential(who, token_digest=hashlib.sha256(secret.encode()).digest())
