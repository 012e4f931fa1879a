"""Models that callers name: schemes, roots, globs, and no way around."""

from __future__ import annotations

import grpc
import pytest
from transferscore_server.errors import status_of
from transferscore_server.paths import allowed_models
from transferscore_server.settings import Limits, Settings
from transferscore_server.store.records import ModelSpec

from transferscore.errors import TransferScoreError


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "models"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.onnx", "b.onnx", "sub/c.onnx"):
        (folder / name).touch()
    (tmp_path / "secret.onnx").touch()
    (folder / "link.onnx").symlink_to(tmp_path / "secret.onnx")
    (folder / "out").symlink_to(tmp_path)
    return folder


@pytest.fixture
def settings(root):
    return Settings(model_roots=(str(root),), model_schemes=("onnx", "hf"))


def uris(models):
    return [model.uri for model in models]


def test_paths_and_globs_below_a_root(root, settings):
    named = [f"onnx:{root}/a.onnx", f"onnx:{root}/[ab].onnx", f"{root}/sub/c.onnx#hidden"]
    assert uris(allowed_models(named, [], settings)) == [
        f"onnx:{root}/a.onnx",
        f"onnx:{root}/b.onnx",
        f"onnx:{root}/sub/c.onnx#hidden",
    ]


def test_a_relative_path_is_one_below_a_root_and_keeps_its_name(root, settings):
    assert allowed_models(["onnx:sub/c.onnx"], [], settings) == (
        ModelSpec(f"onnx:{root}/sub/c.onnx", "onnx:sub/c.onnx"),
    )
    assert [m.name for m in allowed_models(["onnx:[ab].onnx"], [], settings)] == [
        "onnx:a.onnx",
        "onnx:b.onnx",
    ]


def test_models_may_have_names(root, settings):
    named = allowed_models([f"onnx:{root}/a.onnx", f"onnx:{root}/a.onnx"], ["x", "y"], settings)
    assert [model.name for model in named] == ["x", "y"]
    with pytest.raises(TransferScoreError, match=r"must be one a URI \(1\), or none; got 2"):
        allowed_models([f"onnx:{root}/a.onnx"], ["x", "y"], settings)
    with pytest.raises(TransferScoreError, match=r"must be one model where models have names"):
        allowed_models([f"onnx:{root}/[ab].onnx"], ["x"], settings)


def test_what_is_not_there_fails_later_as_a_row(root, settings):
    assert uris(allowed_models([f"onnx:{root}/none.onnx"], [], settings)) == [
        f"onnx:{root}/none.onnx"
    ]


@pytest.mark.parametrize(
    "uri",
    [
        "onnx:/etc/passwd",
        "onnx:/etc/*",
        "onnx:{root}/../secret.onnx",
        "onnx:../secret.onnx",
        "onnx:{root}/link.onnx",
        "onnx:{root}/*.onnx",
        "onnx:{root}/out/secret.onnx",
        "onnx:{root}/**/secret.onnx",
        "onnx:{root}x/a.onnx",
        "onnx:no/such.onnx",
        "hf:org/name",
        "hf:{root}/out",
        "features:{root}/a.npz",
        "export:{root}/a.pt2",
    ],
)
def test_no_uri_leads_out(root, settings, uri):
    uri = uri.replace("{root}", str(root))
    with pytest.raises(TransferScoreError) as caught:
        allowed_models([uri], [], settings)
    status = status_of(caught.value)
    if "**" not in uri:
        assert (status.code, status.reason) == (
            grpc.StatusCode.PERMISSION_DENIED,
            "URI_NOT_ALLOWED",
        )
    # What the caller wrote may be said again; what a pattern found may not.
    assert "secret" not in status.message.replace(uri, "") or "matches no model" in status.message


@pytest.mark.parametrize(
    "uri",
    [
        "onnx:a\\b",
        "onnx:a\0b",
        "onnx:%2e%2e/a",
        "onnx:" + "a" * 5000,
        "",
        "magic:a",
        "onnx:",
        "hf:a?b=c",
    ],
)
def test_what_is_no_uri_is_a_callers_mistake(settings, uri):
    with pytest.raises(TransferScoreError) as caught:
        allowed_models([uri], [], settings)
    assert status_of(caught.value).code in {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.PERMISSION_DENIED,
    }


def test_a_refusal_says_which_model(root, settings):
    with pytest.raises(
        TransferScoreError, match=r"^The model `onnx:no/such.onnx` is not there, or"
    ):
        allowed_models([f"onnx:{root}/a.onnx", "onnx:no/such.onnx"], [], settings)


@pytest.mark.parametrize("name", ["words.npz", "sub/words.npz", "link.npz", "/etc/words.npz"])
def test_word_vectors_lie_under_a_root_as_well(root, name):
    (root / "words.npz").touch()
    (root / "sub/words.npz").touch()
    (root / "link.npz").symlink_to(root.parent / "secret.onnx")
    settings = Settings(model_roots=(str(root),))
    if "/etc" in name or "link" in name:
        with pytest.raises(TransferScoreError, match="by a symbolic link"):
            allowed_models([f"vectors:{name}"], [], settings)
    else:
        found = allowed_models([f"vectors:{name}?pooling=max"], [], settings)
        assert uris(found) == [f"vectors:{root}/{name}?pooling=max"]


def test_a_hub_name_needs_the_hub(settings):
    on = Settings(model_schemes=("hf",), hub=True)
    assert uris(allowed_models(["hf:org/name@main?pooling=cls"], [], on)) == [
        "hf:org/name@main?pooling=cls"
    ]
    with pytest.raises(TransferScoreError, match="--hub"):
        allowed_models(["hf:org/name"], [], settings)


def test_no_more_models_than_a_ranking_may_have(root):
    settings = Settings(model_roots=(str(root),), limits=Limits(max_candidates=1))
    with pytest.raises(TransferScoreError, match=r"at most 1 models \(Limits.max_candidates\)"):
        allowed_models([f"onnx:{root}/[ab].onnx"], [], settings)
