"""The same few labelled samples through every reader."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import zipfile

import numpy as np
import pytest

from transferscore.datasets import AudioSample, TextPair, TokenSequence, read_dataset
from transferscore.datasets.remote import is_remote
from transferscore.errors import DatasetError, MissingExtraError

ROWS = [
    {"text": "good", "label": "pos", "split": "train"},
    {"text": "bad", "label": "neg", "split": "train"},
    {"text": "fine", "label": "pos", "split": "train"},
    {"text": "poor", "label": "neg", "split": "train"},
    {"text": "so", "label": "neg", "split": "test"},
]
CSV = "text,label,split\n" + "".join(",".join(row.values()) + "\n" for row in ROWS)


def refused(source, error=DatasetError, **options) -> str:
    with pytest.raises(error) as raised:
        read_dataset(source, **options)
    return str(raised.value)


def check(dataset) -> None:
    assert tuple(dataset.samples) == ("good", "bad", "fine", "poor")
    assert dataset.class_names == ("neg", "pos")
    assert dataset.labels.tolist() == [1, 0, 1, 0]
    assert (dataset.split, dataset.n_source_rows) == ("train", 5)


def test_parquet(tmp_path):
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame(ROWS).to_parquet(tmp_path / "a.parquet")
    check(read_dataset(tmp_path / "a.parquet"))
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:100])
    assert "cannot be read as Parquet: " in refused(tmp_path / "b.parquet")


def test_json(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(ROWS))
    check(read_dataset(path))
    path.write_text(json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]}))
    check(read_dataset(path))
    path.write_text('{"text": ["a"], "label": []}')
    assert refused(path) == f"The columns of `{path}` must be of one length."
    path.write_text("[1, 2]")
    assert "must be a JSON list of objects" in refused(path)


def test_frames_and_records():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow")
    check(read_dataset(pandas.DataFrame(ROWS)))
    check(read_dataset(polars.DataFrame(ROWS)))
    check(read_dataset(polars.LazyFrame(ROWS)))
    check(read_dataset(pyarrow.Table.from_pylist(ROWS)))
    check(read_dataset(ROWS))
    check(read_dataset({key: [row[key] for row in ROWS] for key in ROWS[0]}))


def test_a_frame_with_missing_values_and_categories():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": ["a", None, "c", *"defg"], "label": [1, 0, None, 1, 0, 0, 1]})
    frame["label"] = frame["label"].astype("Int64").astype("category")
    dataset = read_dataset(frame)
    assert (tuple(dataset.samples), dataset.labels.tolist()) == (tuple("adefg"), [1, 1, 0, 0, 1])
    assert dataset.class_names == ("0", "1")


def test_columns_of_different_lengths():
    assert refused({"text": ["a"], "label": [1, 2]}) == (
        "Columns must be of one length; got text 1, label 2."
    )


def test_hugging_face_datasets(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["neg", "pos"])
    ids = [{**row, "label": ["neg", "pos"].index(row["label"])} for row in ROWS]
    whole = datasets.Dataset.from_list(ids).cast_column("label", names)
    check(read_dataset(whole))
    parts = datasets.DatasetDict(
        {
            split: whole.filter(lambda row, s=split: row["split"] == s).remove_columns("split")
            for split in ("train", "test")
        }
    )
    check(read_dataset(parts))
    parts.save_to_disk(tmp_path / "saved")
    check(read_dataset(f"hf:{tmp_path}/saved"))
    assert len(read_dataset(f"hf:{tmp_path}/saved:train")) == 4
    assert "has no split 'dev'; it has 'train', 'test'" in refused(f"hf:{tmp_path}/saved:dev")
    parts["train"].to_parquet(tmp_path / "a.parquet")
    assert read_dataset(tmp_path / "a.parquet").class_names == ("neg", "pos")
    assert "no end that is known" in refused(whole.to_iterable_dataset())


def test_images_and_sounds_of_hugging_face_datasets(encoded):
    datasets = pytest.importorskip("datasets")
    from PIL import Image

    rows = {
        "image": [{"bytes": encoded(seed=seed), "path": None} for seed in range(4)],
        "label": [0, 1, 0, 1],
    }
    features = datasets.Features(image=datasets.Image(), label=datasets.Value("int64"))
    dataset = read_dataset(datasets.Dataset.from_dict(rows, features=features))
    assert (dataset.modality, dataset.labels.tolist()) == ("image", [0, 1, 0, 1])
    expected = np.asarray(Image.open(io.BytesIO(encoded(seed=2))))
    np.testing.assert_array_equal(dataset.samples[2].pixels(), expected)

    waves = [{"array": np.sin(np.arange(99.0) * k), "sampling_rate": 8_000} for k in range(4)]
    dataset = read_dataset({"audio": waves, "label": [0, 1, 0, 1]})
    assert dataset.modality == "audio"
    np.testing.assert_allclose(dataset.samples[1].read(8_000), waves[1]["array"], atol=1e-6)


@pytest.fixture
def no_hub(monkeypatch):
    """A hub that nobody answers at."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")


@pytest.mark.parametrize("answers", [True, False])
def test_without_a_network_only_the_cache_is_asked(answers, no_hub, monkeypatch):
    datasets = pytest.importorskip("datasets")
    from huggingface_hub import constants

    from transferscore.datasets import hub

    def switches():
        return datasets.config.HF_HUB_OFFLINE, constants.HF_HUB_OFFLINE

    def load(name):
        asked.append(switches())
        raise ConnectionError("no")

    asked, before = [], switches()
    if answers:
        monkeypatch.setattr(hub, "_answers", lambda _: True)
    monkeypatch.setattr(datasets, "load_dataset", load)
    refused("hf:nobody/nothing")
    assert asked == [before if answers else (True, True)]
    assert switches() == before


@pytest.mark.usefixtures("no_hub")
def test_a_name_that_the_hub_cannot_give(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")

    def unreachable(*_, **__):
        raise ConnectionError("Couldn't reach 'nobody/nothing' on the Hub")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    message = refused("hf:nobody/nothing:train")
    assert message.startswith("`hf:nobody/nothing:train` is neither in the local cache (")
    assert "Couldn't reach 'nobody/nothing' on the Hub. Where there is a network, run" in message
    assert "must name a dataset" in refused("hf:")


@pytest.mark.usefixtures("no_hub")
def test_a_name_with_a_configuration(monkeypatch):
    datasets = pytest.importorskip("datasets")
    asked = []

    def load(*names):
        asked.append(names)
        if names in (("glue/sst2",),):
            raise datasets.exceptions.DatasetNotFoundError("no such dataset")
        return datasets.DatasetDict({"train": datasets.Dataset.from_list(ROWS[:4])})

    monkeypatch.setattr(datasets, "load_dataset", load)
    assert len(read_dataset("hf:glue/sst2:train")) == 4
    assert len(read_dataset("hf:owner/name/config")) == 4
    assert asked == [("glue/sst2",), ("glue", "sst2"), ("owner/name", "config")]


def test_torch_datasets(encoded):
    torch = pytest.importorskip("torch")

    class Pets(torch.utils.data.Dataset):
        classes = ("cat", "dog")

        def __len__(self):
            return 4

        def __getitem__(self, position):
            return torch.full((3, 2, 2), position / 4), position % 2

    dataset = read_dataset(Pets())
    assert (dataset.modality, dataset.class_names) == ("image", ("cat", "dog"))
    assert dataset.samples[2].pixels()[0, 0].tolist() == [128, 128, 128]
    rows = torch.utils.data.TensorDataset(torch.eye(4), torch.tensor([0, 1, 0, 1]))
    assert (read_dataset(rows).modality, read_dataset(rows).labels.tolist()) == (
        "array",
        [0, 1, 0, 1],
    )

    class Stream(torch.utils.data.IterableDataset):
        def __iter__(self):
            return iter(())

    assert "Stream is iterable only" in refused(Stream())


def test_lists_in_memory():
    pairs = [("a", "b"), ("c", "d"), ("e", "f"), ("g", "h")]
    dataset = read_dataset(pairs, labels=[0.5, 1.0, 2.0, 3.5])
    assert (dataset.modality, dataset.task.kind) == ("text_pair", "regression")
    assert dataset.samples[3] == TextPair("g", "h")
    words = read_dataset([["a", "b"], ["c"], ["a", "c"]], labels=[["X", "O"], ["O"], ["X", None]])
    assert (words.modality, words.task.kind) == ("tokens", "token_classification")
    assert words.samples[1] == TokenSequence(("c",))
    assert (words.labels.tolist(), words.groups.tolist()) == ([1, 0, 0, 1, -1], [0, 0, 1, 2, 2])
    assert [str(e) for e in words.exclusions] == ["1 word has no tag; only the others are scored"]
    sounds = [AudioSample.from_array(np.ones(9) * k, 8_000) for k in range(4)]
    assert read_dataset(sounds, labels=list("abab")).modality == "audio"
    assert refused([("a", "b"), ("c",)], labels=[0, 1]) == (
        "A pair in `X` must be two strings; got ('c',) in row 1."
    )
    assert refused([["a"], ["b", "c"]], labels=[["X"], ["X"]]) == (
        "Each row of `array` must have one tag per word; row 1 has 2 words and 1 tags."
    )


def test_safetensors(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "a.safetensors"
    save_file({"features": np.eye(4), "labels": np.array([0, 1, 0, 1])}, path)
    dataset = read_dataset(path)
    assert (dataset.modality, dataset.labels.tolist()) == ("array", [0, 1, 0, 1])
    path.write_bytes(path.read_bytes()[:50])
    assert "cannot be read as an .safetensors file" in refused(path)


def shard(path, members: dict[str, bytes]) -> None:
    mode = "w:gz" if path.suffix in (".gz", ".tgz") else "w"
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_webdataset_shards(tmp_path, encoded, suffix):
    for number in (0, 1):
        members = {}
        for k in (0, 1):
            members[f"./a/{k}.png"] = encoded(seed=2 * number + k)
            members[f"./a/{k}.cls"] = str(k).encode()
        members["readme"] = b"not a sample"
        shard(tmp_path / f"pets-00{number}{suffix}", members)
    dataset = read_dataset(f"{tmp_path}/pets-{{000..001}}{suffix}")
    assert (dataset.modality, dataset.labels.tolist()) == ("image", [0, 1, 0, 1])
    assert dataset.samples[3].content() == encoded(seed=3)
    assert dataset.samples[3].name == "./a/1.png"
    assert len(read_dataset(f"{tmp_path}/pets-*{suffix}")) == 4
    assert refused(tmp_path / "none.tar") == (
        f"`{tmp_path}/none.tar` does not exist; expected a tar file of samples."
    )


def test_shards_of_texts_with_json(tmp_path):
    members = {}
    for k, row in enumerate(ROWS):
        members[f"{k}.txt"] = row["text"].encode()
        members[f"{k}.json"] = json.dumps({"label": row["label"], "split": row["split"]}).encode()
    shard(tmp_path / "a.tar", members)
    check(read_dataset(tmp_path / "a.tar"))
    (tmp_path / "a.tar").write_bytes(b"no tar")
    assert "cannot be read as a tar file" in refused(tmp_path / "a.tar")


def test_a_shard_that_changes_is_not_read_on(tmp_path, encoded):
    path = tmp_path / "a.tar"
    shard(path, {f"{k}.{s}": encoded() if s == "png" else b"%d" % (k % 2) for k in range(4)
                 for s in ("png", "cls")})  # fmt: skip
    dataset = read_dataset(path)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ValueError, match="the file that it is in has been cut off"):
        dataset.samples[3].content()


def test_uris(tmp_path):
    import fsspec

    path = tmp_path / "a.csv"
    path.write_text(CSV)
    check(read_dataset(f"file://{path}"))
    with fsspec.open("memory://deep/a.csv", "w") as file:
        file.write(CSV)
    dataset = read_dataset("memory://deep/a.csv")
    check(dataset)
    assert dataset.name == "a"
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(path, "a.csv")
    check(read_dataset(f"zip://a.csv::{tmp_path}/b.zip"))
    assert refused("memory://gone.csv") == "`memory://gone.csv` does not exist."
    assert "`nosuch://a.csv` cannot be understood" in refused("nosuch://a.csv")
    assert not is_remote("C.csv")


def test_a_folder_behind_a_uri(tmp_path, make_tree):
    root = make_tree("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png")
    dataset = read_dataset(f"file://{root}")
    assert (dataset.name, dataset.class_names) == ("pets", ("cat", "dog"))
    assert dataset.samples[0].pixels().shape == (7, 5, 3)


def test_a_uri_whose_package_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    assert refused("s3://bucket/a.csv", MissingExtraError) == (
        "Reading `s3://bucket/a.csv` needs the package 's3fs', which is not installed. "
        "Install it with: pip install 'transferscore[s3]'"
    )


def test_folders_of_sounds(tmp_path):
    soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")
    for k, name in enumerate(("cat/1.wav", "cat/2.flac", "dog/1.wav", "dog/2.wav", "cat/a.jpg")):
        path = tmp_path / "sounds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix != ".jpg":
            soundfile.write(path, np.sin(np.arange(800.0) * (k + 1) / 9), 8_000)
        else:
            path.write_bytes(b"")
    (tmp_path / "sounds" / "bird").mkdir()
    dataset = read_dataset(tmp_path / "sounds")
    assert (dataset.modality, dataset.class_names) == ("audio", ("cat", "dog"))
    assert [str(exclusion) for exclusion in dataset.exclusions] == [
        "a class folder has no sounds (bird)",
        "1 row left out: not an audio file (cat/a.jpg)",
    ]
