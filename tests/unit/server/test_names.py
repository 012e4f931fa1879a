"""Resource names and pages."""

from __future__ import annotations

import pytest
from transferscore_server.errors import CallError
from transferscore_server.names import Name, new_id, parse_name, parse_parent, resource_id
from transferscore_server.paging import page_of, page_size


def test_a_name_is_taken_apart_and_put_together():
    name = parse_name("ranking", "projects/default/rankings/r-1")
    assert name == Name("default", "ranking", "r-1")
    assert str(name) == "projects/default/rankings/r-1"
    assert parse_parent("projects/a1") == "a1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "projects/default",
        "projects/default/rankings/",
        "projects/default/datasets/r",
        "projects/Default/rankings/r",
        "projects/../rankings/r",
        "projects/a/rankings/r/x",
        "projects/a/rankings/r\n",
        "projects/a/rankings/-r",
        "projects/a/rankings/" + "r" * 64,
        "projects/\0/rankings/r",
    ],
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(
        CallError, match=r"^`name` must be `projects/\{project\}/rankings/\{ranking\}`"
    ):
        parse_name("ranking", text)


@pytest.mark.parametrize("text", ["", "default", "projects/", "projects/a/b", "projects/A"])
def test_what_is_no_parent_is_refused(text):
    with pytest.raises(CallError, match=r"^`parent` must be `projects/\{project\}`"):
        parse_parent(text)


def test_an_identifier_is_chosen_or_made():
    assert resource_id("mine-1", "ranking_id") == "mine-1"
    made = {resource_id("", "ranking_id") for _ in range(100)}
    assert len(made) == 100
    assert all(resource_id(each, "x") == each for each in made)
    assert new_id() not in made
    with pytest.raises(CallError, match=r"^`ranking_id` must be 1 to 63"):
        resource_id("Mine", "ranking_id")


def test_pages_cover_a_list_once():
    items, token, seen = list(range(23)), "", []
    while True:
        page, token = page_of(items, 5, token)
        seen += page
        if not token:
            break
    assert seen == items


@pytest.mark.parametrize("token", ["x", "YWZ0ZXI6LTE=", "YWZ0ZXI6OTk5", "é", "YWZ0ZXI6eA=="])
def test_a_token_of_something_else_is_refused(token):
    with pytest.raises(CallError, match=r"^`page_token` must be"):
        page_of(range(10), 5, token)


def test_page_sizes_are_cut_and_never_negative():
    assert [page_size(n, 1000) for n in (0, 7, 5000)] == [50, 7, 1000]
    with pytest.raises(CallError, match=r"^`page_size` must be at least 0; got -1"):
        page_size(-1, 1000)
