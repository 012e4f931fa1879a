from __future__ import annotations

import pytest

from transferscore.encoders import expand_globs, parse_uri
from transferscore.errors import EncoderError, UnknownSchemeError


def test_all_parts_of_a_uri():
    uri = parse_uri("hf:org/name@refs/pr/1?pooling=cls&layer=-2")
    assert (uri.scheme, uri.path, uri.revision) == ("hf", "org/name", "refs/pr/1")
    assert dict(uri.options) == {"pooling": "cls", "layer": "-2"}
    assert uri.integer("layer") == -2
    assert uri.integer("size") is None
    assert uri.text == "hf:org/name@refs/pr/1?pooling=cls&layer=-2"


def test_output_comes_last_and_may_hold_anything():
    uri = parse_uri("onnx:zoo/a@b.onnx?size=96#Stateful/Call:2@x")
    assert (uri.path, uri.output) == ("zoo/a@b.onnx", "Stateful/Call:2@x")
    assert uri.integer("size") == 96
    assert uri.revision is None


def test_a_folder_whose_name_has_an_at_sign_has_no_revision(tmp_path):
    folder = tmp_path / "model@home"
    folder.mkdir()
    assert parse_uri(f"hf:{folder}").path == str(folder)


def test_unknown_scheme_lists_the_known():
    with pytest.raises(UnknownSchemeError) as raised:
        parse_uri("ftp:server/model.onnx")
    assert str(raised.value) == (
        "`ftp:` is not a known model scheme; known: export, features, hf, keras, onnx, st, timm, "
        "vectors."
    )


def test_bare_paths_that_can_be_read_in_one_way(tmp_path):
    assert parse_uri("zoo/a.onnx#hidden").scheme == "onnx"
    assert parse_uri("zoo/a.pt2").scheme == "export"
    assert parse_uri(str(tmp_path)).scheme == "hf"


def test_other_bare_names_are_refused():
    with pytest.raises(UnknownSchemeError) as raised:
        parse_uri("bert-base")
    assert str(raised.value) == (
        "`bert-base` has no model scheme and is neither a folder nor a file that ends in .keras, "
        ".onnx or .pt2. Write it as scheme:name, for example `hf:bert-base`; known schemes: "
        "export, features, hf, keras, onnx, st, timm, vectors."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "hf:x?pool=cls",
            "`pool` is not an option of `hf:` models (in `hf:x?pool=cls`); known: layer, pooling, "
            "precision.",
        ),
        (
            "features:x.npz?a=1",
            "`a` is not an option of `features:` models (in `features:x.npz?a=1`); known: none.",
        ),
        ("onnx:", "`onnx:` names no model; write `onnx:` and then a path."),
        ("hf:x#hidden", "`hf:` models have no `#output`; got `hf:x#hidden`."),
    ],
)
def test_uris_that_cannot_be_meant(text, message):
    with pytest.raises(EncoderError) as raised:
        parse_uri(text)
    assert str(raised.value) == message


def test_an_option_that_is_no_number():
    with pytest.raises(EncoderError) as raised:
        parse_uri("onnx:x.onnx?size=big").integer("size")
    assert str(raised.value) == (
        "The option `size` of `onnx:x.onnx?size=big` must be a whole number; got 'big'."
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep/er").mkdir(parents=True)
    for name in ("b.onnx", "a.onnx", "deep/er/c.onnx", "note.txt"):
        (tmp_path / name).touch()
    for name in ("one", "two"):
        (tmp_path / "hf" / name).mkdir(parents=True)
    (tmp_path / "hf/one/config.json").touch()
    return tmp_path


def test_globs_give_sorted_matches_and_keep_options(folder):
    assert expand_globs([f"onnx:{folder}/*.onnx?size=32#hidden"]) == [
        f"onnx:{folder}/a.onnx?size=32#hidden",
        f"onnx:{folder}/b.onnx?size=32#hidden",
    ]
    assert expand_globs([f"{folder}/?.onnx"]) == [f"{folder}/a.onnx", f"{folder}/b.onnx"]


def test_globs_relative_and_recursive(folder, monkeypatch):
    monkeypatch.chdir(folder)
    found = expand_globs(["onnx:**/*.onnx"])
    assert found == ["onnx:a.onnx", "onnx:b.onnx", "onnx:deep/er/c.onnx"]


def test_hf_globs_match_model_folders_only(folder):
    assert expand_globs([f"hf:{folder}/hf/*"]) == [f"hf:{folder}/hf/one"]


def test_plain_uris_are_untouched_and_doubles_dropped(folder):
    uris = ["hf:org/name@main", f"onnx:{folder}/a.onnx", f"onnx:{folder}/[a].onnx"]
    assert expand_globs(uris) == ["hf:org/name@main", f"onnx:{folder}/a.onnx"]


def test_a_file_with_brackets_in_its_name_is_itself(folder):
    (folder / "a[1].onnx").touch()
    assert expand_globs([f"onnx:{folder}/a[1].onnx"]) == [f"onnx:{folder}/a[1].onnx"]


def test_a_glob_without_match(folder):
    with pytest.raises(EncoderError) as raised:
        expand_globs([f"onnx:{folder}/*.nothing"])
    assert str(raised.value) == (
        f"`onnx:{folder}/*.nothing` matches no model; check the pattern and the folder."
    )
