"""Settings: flags before the environment before the file, and nothing that is not known."""

from __future__ import annotations

import tomllib

import pytest
from transferscore_server.settings import Limits, Settings, load_settings, to_toml

from transferscore.errors import InputError


def test_flags_go_before_the_environment_before_the_file(tmp_path):
    file = tmp_path / "server.toml"
    file.write_text(
        'log_level = "error"\nscorers = 3\ndrain_seconds = 5\n[limits]\nmax_candidates = 7\n'
    )
    environment = {"TS_SCORERS": "4", "TS_DRAIN_SECONDS": "6", "TS_MAX_PAGE_SIZE": "9", "HOME": "x"}
    settings = load_settings({"drain_seconds": 7.5, "listen": None}, environment, str(file))
    assert settings == Settings(
        log_level="error",
        scorers=4,
        drain_seconds=7.5,
        limits=Limits(max_candidates=7, max_page_size=9),
    )


def test_lists_and_switches_come_as_words():
    environment = {"TS_DATA_ROOTS": "/a, /b", "TS_HUB": "yes", "TS_REFLECTION": "0"}
    settings = load_settings({}, environment)
    assert settings.data_roots == ("/a", "/b")
    assert settings.hub
    assert not settings.reflection


def test_printed_settings_can_be_read_again_and_hide_secrets(tmp_path):
    url = "postgresql://me:hunter2@db/x"
    settings = load_settings(
        {"data_dir": 'a"b\\c', "database_url": url}, {"TS_TOKENS": "me * s3cret"}
    )
    printed = to_toml(settings)
    assert "s3cret" not in printed
    assert "hunter2" not in printed
    content = tomllib.loads(printed)
    assert content["data_dir"] == 'a"b\\c'
    assert content["limits"]["max_candidates"] == 500
    file = tmp_path / "again.toml"
    file.write_text(to_toml(Settings(scorers=2)))
    assert load_settings({}, {}, str(file)) == Settings(scorers=2)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:hunter2@db/x", "postgresql://me:***@db/x"),
        ("postgresql://db/x?user=me&password=hunter2", "postgresql://db/x?user=me&password=***"),
        ("postgresql:///x?password=hunter2&host=db", "postgresql:///x?password=***&host=db"),
        ("postgresql://db/x?sslpassword=hunter2", "postgresql://db/x?sslpassword=***"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
    ],
)
def test_a_password_of_the_database_is_not_printed(url, shown):
    content = tomllib.loads(to_toml(load_settings({"database_url": url}, {})))
    assert content["database_url"] == shown


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"TS_SCORERS": "many"}, r"^`TS_SCORERS` must be a whole number; got 'many'"),
        ({"TS_HUB": "maybe"}, r"^`TS_HUB` must be true or false; got 'maybe'"),
        ({"TS_LISTEN": "0.0.0.0:1"}, r"^`0.0.0.0:1` is reached from other machines"),
        ({"TS_LISTEN": ""}, r"^`listen` must name at least one address"),
        ({"TS_LISTEN": "127.0.0.1:99999"}, r"^`listen` must be `host:port`"),
        ({"TS_LISTEN": "50051"}, r"^`listen` must be `host:port`"),
        ({"TS_TLS_KEY": "k"}, r"^`tls_certificate` and `tls_key` go together"),
        ({"TS_TLS_CLIENT_CA": "k"}, r"^`tls_client_ca` needs"),
        ({"TS_SCORERS": "-1"}, r"^`scorers` must be a finite number, and not negative; got -1"),
        ({"TS_MAX_CANDIDATES": "-1"}, r"^`max_candidates` must be .* not negative; got -1"),
        ({"TS_DRAIN_SECONDS": "nan"}, r"^`drain_seconds` must be a finite number"),
        ({"TS_UPLOAD_EXPIRY_SECONDS": "inf"}, r"^`upload_expiry_seconds` must be a finite number"),
        ({"TS_MODEL_SCHEMES": "onnx,onyx"}, r"^`model_schemes` must be of export, .*; got 'onyx'"),
    ],
)
def test_what_cannot_work_is_refused(environment, message):
    with pytest.raises(InputError, match=message):
        load_settings({}, environment)


def test_a_wrong_file_is_refused(tmp_path):
    file = tmp_path / "server.toml"
    with pytest.raises(InputError, match=r"^The settings file `.*` cannot be read"):
        load_settings({}, {}, str(file))
    file.write_text("no_such = 1")
    with pytest.raises(InputError, match=r"^There is no setting `no_such`"):
        load_settings({}, {}, str(file))
    file.write_text("limits = 3")
    with pytest.raises(InputError, match=r"must be a table"):
        load_settings({}, {}, str(file))


def test_the_open_world_needs_tls_or_a_word():
    assert load_settings({"insecure_listen": True}, {"TS_LISTEN": "0.0.0.0:1"}).insecure_listen
    assert load_settings({}, {"TS_LISTEN": "unix:/run/x.sock"}).listen == ("unix:/run/x.sock",)
