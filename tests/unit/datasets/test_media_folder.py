from __future__ import annotations

import pytest
from PIL import ImageFile

from transferscore.datasets import read_dataset
from transferscore.datasets.media_folder import read_media_folder
from transferscore.errors import DatasetError, SampleError

PETS = ("cat/1.png", "cat/10.png", "cat/2.png", "dog/a/b/1.png", "dog/2.png")


def names(dataset):
    return [sample.name for sample in dataset.samples]


def test_classes_are_folders_read_to_any_depth_in_natural_order(make_tree):
    dataset = read_dataset(make_tree(*PETS))
    assert names(dataset) == [
        "cat/1.png",
        "cat/2.png",
        "cat/10.png",
        "dog/2.png",
        "dog/a/b/1.png",
    ]
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1]
    assert dataset.class_names == ("cat", "dog")
    assert (dataset.name, dataset.modality, dataset.split) == ("pets", "image", None)
    assert (dataset.rows.tolist(), dataset.n_source_rows) == ([0, 1, 2, 3, 4], 5)
    assert dataset.exclusions == ()
    assert dataset.samples[0].pixels().shape == (7, 5, 3)


def test_nothing_is_decoded(make_tree, monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    assert len(read_dataset(make_tree(*PETS))) == 5


@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Training", "Testing")])
def test_split_folders(make_tree, train, test):
    files = [f"{split}/{pet}" for split in (train, test) for pet in PETS]
    root = make_tree(*files, f"{test}/cat/test_only.png")
    dataset = read_dataset(root)
    assert (dataset.split, len(dataset), dataset.n_source_rows) == (train, 5, 11)
    assert dataset.class_names == ("cat", "dog")
    assert all(name.startswith(train) for name in names(dataset))
    held_out = read_dataset(root, split="test")
    assert (held_out.split, len(held_out)) == (test, 6)
    assert not set(held_out.rows.tolist()) & set(dataset.rows.tolist())


def test_a_split_that_is_not_there(make_tree):
    root = make_tree("train/a/1.png", "val/a/1.png")
    with pytest.raises(DatasetError) as error:
        read_dataset(root, split="test")
    assert str(error.value) == (
        f"`{root}` has no split 'test'; it has 'train', 'val'. Say which one to read with `split`."
    )


def test_without_a_train_split_nothing_is_read_unasked(make_tree):
    root = make_tree("test/a/1.png", "test/a/2.png", "test/b/1.png", "test/b/2.png")
    with pytest.raises(DatasetError) as error:
        read_dataset(root)
    assert str(error.value) == (
        f"`{root}` has no split 'train'; it has 'test'. Say which one to read with `split`."
    )
    assert len(read_dataset(root, split="test")) == 4


def test_asking_for_a_split_where_there_are_none(make_tree):
    root = make_tree(*PETS)
    with pytest.raises(DatasetError) as error:
        read_dataset(root, split="train")
    assert str(error.value) == (
        f"`{root}` has no splits; got `split='train'`. Leave `split` out to read all rows."
    )


def test_what_is_left_out_is_said(make_tree):
    root = make_tree(*PETS, "fox/1.png", "stray.png", "cat/notes.txt", "empty/", ".hidden/1.png")
    dataset = read_dataset(root)
    assert dataset.class_names == ("cat", "dog")
    assert [str(exclusion) for exclusion in dataset.exclusions] == [
        "a class folder has no images (empty)",
        "1 row left out: not an image file (cat/notes.txt)",
        "1 row left out: have no label (stray.png)",
        "1 row left out: the only sample of a class ('fox')",
    ]
    assert dataset.n_source_rows == 7


def test_one_class_only(make_tree):
    root = make_tree("cat/1.png", "cat/2.png")
    with pytest.raises(DatasetError) as error:
        read_dataset(root)
    assert str(error.value) == (f"`{root}` has one class only ('cat'); ranking needs at least two.")


def test_one_class_left_says_where_the_others_went(make_tree):
    root = make_tree("cat/1.png", "cat/2.png", "dog/1.png")
    with pytest.raises(DatasetError) as error:
        read_dataset(root)
    assert str(error.value) == (
        f"`{root}` has one class only ('cat'); ranking needs at least two. "
        "1 row left out: the only sample of a class ('dog')."
    )


def test_no_images(make_tree):
    root = make_tree("cat/notes.txt", "stray.png")
    with pytest.raises(DatasetError) as error:
        read_dataset(root)
    assert str(error.value) == (
        f"`{root}` has no images or sounds in sub-folders; expected one folder per class "
        "with files such as .jpg, .png, .wav or .flac, or an index.csv."
    )


def test_a_broken_image_is_found_when_it_is_looked_at(make_tree):
    root = make_tree(*PETS)
    (root / "cat/3.png").write_bytes(b"broken")
    dataset = read_dataset(root)
    assert len(dataset) == 6
    with pytest.raises(SampleError, match=r"^`cat/3.png` cannot be read as an image"):
        dataset.samples[2].pixels()


def test_links_to_class_folders_are_followed_and_circles_are_not(make_tree, tmp_path):
    root = make_tree("cat/1.png", "cat/2.png")
    (tmp_path / "elsewhere").mkdir()
    for number in (1, 2):
        (tmp_path / f"elsewhere/{number}.png").write_bytes((root / "cat/1.png").read_bytes())
    (root / "dog").symlink_to(tmp_path / "elsewhere")
    (root / "cat/sub").mkdir()
    (root / "cat/sub/circle").symlink_to(root)
    assert names(read_dataset(root)) == ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]


def test_a_folder_with_an_index(make_tree):
    root = make_tree("all/1.png", "all/2.png", "all/3.png", "all/4.png")
    (root / "index.csv").write_text(
        "file,label,split\nall/1.png,a,train\nall/2.png,a,train\nall/3.png,b,train\n"
        "all/4.png,b,train\nall/5.png,b,train\nall/1.png,b,test\n"
    )
    dataset = read_media_folder(root)
    assert (dataset.class_names, dataset.split, len(dataset)) == (("a", "b"), "train", 4)
    assert [exclusion.examples for exclusion in dataset.exclusions] == [("all/5.png",)]
