from __future__ import annotations

import zipfile

import numpy as np
import pytest
from PIL import ImageFile

from transferscore.datasets import read_dataset
from transferscore.errors import DatasetError

FILES = tuple(f"images/{number}.png" for number in range(6))
INDEX = "file,label,split\n" + "".join(
    f"{file},{'ab'[number % 2]},{'train' if number < 4 else 'test'}\n"
    for number, file in enumerate(FILES)
)


@pytest.mark.parametrize(
    ("archive", "n_train", "n_all", "class_names"),
    [
        ("cifar10", 1400, 2000, 10),
        ("trashnet", 943, 1387, 6),
        ("brain_tumor_mri", 964, 1377, 4),
        ("flowers5", 1050, 1500, 5),
        ("sign_language_digits", 1050, 1500, 10),
    ],
)
def test_the_zoo(zoo, monkeypatch, archive, n_train, n_all, class_names):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    dataset = read_dataset(zoo / f"datasets/image/{archive}.zip")
    assert (dataset.name, dataset.split, dataset.task.kind) == (archive, "train", "classification")
    assert (len(dataset), dataset.n_source_rows) == (n_train, n_all)
    assert dataset.n_classes == class_names
    assert dataset.exclusions == ()


def test_the_zoo_keeps_class_names_in_the_order_of_labels(zoo):
    dataset = read_dataset(str(zoo / "datasets/image/flowers5.zip"), split="test")
    assert dataset.class_names == ("daisy", "dandelion", "rose", "sunflower", "tulip")
    assert len(dataset) == 450
    assert dataset.samples[0].pixels().shape == (128, 128, 3)


def test_an_archive_of_sounds(zoo):
    dataset = read_dataset(zoo / "datasets/audio/fsdd_digits.zip")
    assert (dataset.modality, len(dataset), dataset.n_source_rows) == ("audio", 1200, 1500)
    assert dataset.class_names == tuple("0123456789")
    wave = dataset.samples[0].read(16_000)
    assert (wave.dtype, wave.ndim) == (np.float32, 1)
    assert 0.1 < np.abs(wave).max() <= 1.1


def test_other_columns_of_an_index_by_name(zoo):
    path = zoo / "datasets/audio/fsdd_digits.zip"
    dataset = read_dataset(path, columns="label=speaker,split=split_by_speaker,group=label")
    assert "george" in dataset.class_names
    assert len(set(dataset.class_names)) == 4
    assert len(np.unique(dataset.groups)) == 10
    with pytest.raises(DatasetError) as error:
        read_dataset(path, columns="label=mood")
    assert str(error.value) == (
        f"`{path}/index.csv` has no column 'mood', which `columns` names as the label; its columns "
        "are file, label, label_name, split, speaker, split_by_speaker, sample_rate, source_path."
    )


def test_an_index_of_other_files(make_zip):
    path = make_zip("a.txt", index="file,label\na.txt,0\n")
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert str(error.value) == (
        f"`{path}/index.csv` lists no images or sounds (.jpg, .png, .wav, .flac, ...); "
        "its first file is 'a.txt'."
    )


def test_copies_in_the_archive_are_counted(tmp_path, encoded):
    path = tmp_path / "pets.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for seed, member in enumerate(("a/1.png", "a/2.png", "b/1.png", "b/2.png")):
            archive.writestr(f"train/{member}", encoded(seed=min(seed, 2)))
            archive.writestr(f"test/{member}", encoded(seed=seed + 1))
    remarks = [str(exclusion) for exclusion in read_dataset(path).exclusions]
    assert remarks == ["1 row is a copy of another row", "3 rows are also in the split 'test'"]


def test_the_train_split_is_read_and_no_other(make_zip):
    path = make_zip(*FILES, index=INDEX)
    dataset = read_dataset(path)
    assert [sample.name for sample in dataset.samples] == list(FILES[:4])
    assert dataset.labels.tolist() == [0, 1, 0, 1]
    assert dataset.class_names == ("a", "b")
    assert (dataset.rows.tolist(), dataset.n_source_rows) == ([0, 1, 2, 3], 6)


def test_label_names_and_rows_that_are_left_out(make_zip):
    index = (
        "\ufefffile,label,label_name,split\n"
        "images/0.png,0,zebra,training\n"
        "images/1.png,0,zebra,training\n"
        "images/2.png,1,ant,training\n"
        "images/3.png,1,,training\n"
        "images/4.png,,,training\n"
        "images/5.png,2,bee,training\n"
        "images/9.png,1,ant,training\n"
        "images/9.txt,1,ant,training\n"
        "images/0.png,0,zebra,\n"
    )
    dataset = read_dataset(make_zip(*FILES, index=index))
    assert dataset.class_names == ("zebra", "ant")
    assert dataset.labels.tolist() == [0, 0, 1, 1]
    assert (dataset.split, dataset.n_source_rows) == ("training", 9)
    assert [str(exclusion) for exclusion in dataset.exclusions] == [
        "1 row left out: have no split (images/0.png)",
        "1 row left out: have no label (images/4.png)",
        "2 rows left out: name a file that is not there, or is no image "
        "(.bmp, .gif, .jpeg, .jpg, .png, .tif, .tiff, .webp) (images/9.png, images/9.txt)",
        "1 row left out: the only sample of a class ('bee')",
    ]


def test_regression(make_zip):
    index = "file,label\n" + "".join(f"{file},{n / 4}\n" for n, file in enumerate(FILES))
    dataset = read_dataset(make_zip(*FILES, index=index))
    assert dataset.task.kind == "regression"
    np.testing.assert_array_equal(dataset.labels, np.arange(6) / 4)


@pytest.mark.parametrize("base", ["", "pets/"])
def test_without_an_index_folders_are_classes(make_zip, base):
    members = [f"{base}{file}" for file in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/x/2.png")]
    dataset = read_dataset(make_zip(*members, f"{base}empty/", "__MACOSX/cat/._1.png"))
    assert len(dataset) == 4
    assert dataset.class_names == ("cat", "dog")
    assert dataset.samples[0].name == f"{base}cat/1.png"
    assert [exclusion.examples for exclusion in dataset.exclusions] == [("empty",)]
    assert dataset.samples[3].pixels().shape == (7, 5, 3)


def test_a_folder_called_like_a_split_is_one_even_when_it_is_alone(make_zip):
    path = make_zip("test/cat/1.png", "test/cat/2.png", "test/dog/1.png", "test/dog/2.png")
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert str(error.value) == (
        f"`{path}` has no split 'train'; it has 'test'. Say which one to read with `split`."
    )
    assert read_dataset(path, split="test").class_names == ("cat", "dog")


def test_an_index_in_the_one_folder_around_everything(make_zip):
    members = [f"pets/{file}" for file in FILES]
    dataset = read_dataset(make_zip(*members, index=INDEX, index_name="pets/index.csv"))
    assert len(dataset) == 4
    assert dataset.samples[0].pixels().shape == (7, 5, 3)


@pytest.mark.parametrize("member", ["../evil.png", "/etc/evil.png", "a/../../evil.png"])
def test_a_member_that_leads_outside_is_refused(make_zip, member):
    path = make_zip(*FILES, member, index=INDEX)
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert str(error.value) == f"`{path}` has a member whose path leads outside of it: {member!r}."


def test_an_index_that_leads_outside_is_refused(make_zip):
    path = make_zip(*FILES, index=INDEX + "../secret.png,a,train\n")
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert str(error.value) == (
        f"Each file in `{path}/index.csv` must lie beside it or below; "
        "line 8 names '../secret.png'."
    )


def test_an_index_without_labels(make_zip):
    path = make_zip(*FILES, index="file,kind\nimages/0.png,a\n")
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert str(error.value) == (
        f"`{path}/index.csv` must have the columns file and label (and may have label_name and "
        "split); its columns are file, kind."
    )


def test_a_label_with_two_names(make_zip):
    index = "file,label,label_name\nimages/0.png,0,ant\nimages/1.png,0,bee\n"
    path = make_zip(*FILES, index=index)
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert str(error.value) == (
        f"`{path}/index.csv` calls the label '0' both 'ant' and 'bee' (line 3); "
        "each label needs one name."
    )


def test_an_index_without_rows(make_zip):
    path = make_zip(*FILES, index="file,label\n")
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert str(error.value) == f"`{path}` has no usable rows."


def test_an_index_that_claims_to_be_huge(make_zip, monkeypatch):
    monkeypatch.setattr("transferscore.datasets.media_zip._LARGEST_INDEX", 10)
    path = make_zip(*FILES, index=INDEX)
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert str(error.value) == (
        f"`{path}/index.csv` unpacks into {len(INDEX)} bytes; an index may have 10."
    )


def test_a_file_that_is_no_zip(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"no zip")
    with pytest.raises(DatasetError) as error:
        read_dataset(path)
    assert str(error.value) == f"`{path}` cannot be read as a zip archive: File is not a zip file."


def test_an_empty_zip(tmp_path):
    path = tmp_path / "a.zip"
    zipfile.ZipFile(path, "w").close()
    with pytest.raises(DatasetError, match="has no images or sounds in sub-folders"):
        read_dataset(path)
