"""Callers: tokens are hashed, compared whole, scoped to projects, and never repeated."""

from __future__ import annotations

import contextvars

import grpc
import pytest
from transferscore_server.access import (
    ANYBODY,
    Caller,
    caller,
    hash_token,
    identify,
    read_credentials,
    require_project,
    set_caller,
)
from transferscore_server.errors import CallError

from transferscore.errors import InputError


@pytest.fixture
def credentials(tmp_path):
    file = tmp_path / "tokens"
    file.write_text(f"# who\n\nplatform alpha,beta {hash_token('t0p')}\nbatch * cn:batch.example\n")
    return read_credentials(str(file), "ops * plain-secret")


def test_a_token_or_a_certificate_proves_a_caller(credentials):
    assert identify(credentials, "Bearer t0p", []) == Caller(
        "platform", frozenset({"alpha", "beta"})
    )
    assert identify(credentials, "bearer plain-secret", []) == Caller("ops")
    assert identify(credentials, None, ["batch.example"]) == Caller("batch")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer t0p2", "Basic t0p", "t0p", "Bearer \ud800"]
)
def test_nothing_else_does(credentials, header):
    with pytest.raises(CallError, match=r"^Expected the header") as caught:
        identify(credentials, header, ["someone.else"])
    assert caught.value.status.code is grpc.StatusCode.UNAUTHENTICATED


def test_without_credentials_anybody_may():
    assert identify((), None, []) is ANYBODY


def test_tokens_are_kept_as_hashes_only(credentials):
    assert "t0p" not in repr(credentials)
    assert "plain-secret" not in repr(credentials)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a * plainly-secret", r"line 1: a file holds hashed tokens only"),
        ("a secretword", r"line 1: expected `NAME PROJECTS SECRET`; got 2 words"),
        ("a * sha256:zz-secret", r"line 1: `sha256:` must be followed by 64"),
    ],
)
def test_a_wrong_line_is_named_and_not_repeated(tmp_path, line, message):
    file = tmp_path / "tokens"
    file.write_text(line)
    with pytest.raises(InputError, match=message) as caught:
        read_credentials(str(file), None)
    assert "secret" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"^The file of tokens .* cannot be read"):
        read_credentials(str(tmp_path / "none"), None)


def test_a_caller_keeps_to_their_projects():
    def within() -> None:
        set_caller(Caller("me", frozenset({"alpha"})))
        assert require_project("alpha") == "alpha"
        with pytest.raises(
            CallError, match=r"^'me' may not use the project 'beta', but only: alpha"
        ):
            require_project("beta")

    contextvars.copy_context().run(within)
    assert caller() is ANYBODY
    assert require_project("anything") == "anything"
