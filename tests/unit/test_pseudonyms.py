"""No original id gets past the door, and no number depends on the key."""

import re
import secrets
import stat
import subprocess

import pandas as pd
import pytest
from studies import TINY_COMPANY, write_study

from analysis.ingest import read_sources
from analysis.ingest.ids import KEY, KEY_BYTES, concealed, key_file, load_key
from analysis.ingest.sources import read_exports
from analysis.plan.errors import BadInput
from analysis.plan.read_study import load_study

PSEUDONYM = re.compile(r"[0-9a-f]{32}")


def tables(ids, **more):
    """Return tables in which these employees stand."""
    return {"employees": pd.DataFrame({"employee_id": pd.Categorical(ids)}), **more}


def test_every_id_of_a_study_is_a_pseudonym(tmp_path):
    write_study(tmp_path / "acme", TINY_COMPANY)
    raw = read_sources(load_study("acme", tmp_path))
    for table, frame in raw.tables.items():
        for name in {"employee_id", "manager_id", "ratee_id", "rater_id", "match_id", "respondent_id"} & set(frame):
            assert all(map(PSEUDONYM.fullmatch, frame[name].dropna().astype(str))), (table, name)
    assert (read_exports(load_study("acme", tmp_path)).tables["employees"]["employee_id"] == "E1").any()


def test_a_person_has_one_pseudonym_in_every_table():
    reports = pd.DataFrame({"employee_id": pd.Categorical(["b"]), "manager_id": pd.Categorical(["a"])})
    meetings = pd.DataFrame({"attendee_ids": pd.Categorical(["b; a", "a"])})
    hidden = concealed(tables(["a", "b"], jobs=reports, sessions=meetings), b"k" * KEY_BYTES)
    a, b = hidden["employees"]["employee_id"]
    assert (hidden["jobs"]["employee_id"][0], hidden["jobs"]["manager_id"][0]) == (b, a)
    assert list(hidden["sessions"]["attendee_ids"]) == [f"{b};{a}", a]


def test_pseudonyms_stand_in_the_order_of_the_ids_whatever_the_key():
    ids = ["E10", "E2", "A", "z", "E1"]
    for key in (b"k" * KEY_BYTES, b"q" * KEY_BYTES):
        hidden = concealed(tables(ids), key)["employees"]["employee_id"].astype(str)
        assert list(hidden.argsort()) == list(pd.Series(ids).argsort())


def test_another_key_gives_other_pseudonyms_and_the_same_key_the_same():
    one, again, other = (
        concealed(tables(["a"]), letter * KEY_BYTES)["employees"].iloc[0, 0] for letter in (b"k", b"k", b"q")
    )
    assert one == again != other


def test_the_key_is_made_once_for_the_user_alone(tmp_path, monkeypatch):
    monkeypatch.setenv(KEY, str(tmp_path / "folder" / "key"))
    assert load_key() == load_key()
    assert len(load_key()) == KEY_BYTES
    assert stat.S_IMODE(key_file().stat().st_mode) == 0o600


def test_without_a_named_file_it_lies_in_the_users_configuration(tmp_path, monkeypatch):
    monkeypatch.delenv(KEY)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    load_key()
    assert (tmp_path / "mentoring-outcomes" / "key").is_file()


def test_where_nothing_can_be_written_a_key_lives_as_long_as_the_process(tmp_path, monkeypatch):
    monkeypatch.delenv(KEY)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    assert len(load_key()) == KEY_BYTES


@pytest.mark.parametrize(
    ("mode", "content", "said"),
    [
        (0o644, bytes(range(KEY_BYTES)), "chmod 600"),
        (0o600, b"short", "fewer than"),
        (0o600, bytes(KEY_BYTES), "one byte over and over"),
    ],
)
def test_a_bad_key_is_refused(tmp_path, monkeypatch, mode, content, said):
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(mode)
    monkeypatch.setenv(KEY, str(path))
    with pytest.raises(BadInput, match=said):
        load_key()


def test_a_key_that_git_would_take_in_is_refused(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setenv(KEY, str(tmp_path / "key"))
    with pytest.raises(BadInput, match="gitignore"):
        load_key()
    (tmp_path / ".gitignore").write_text("key\n")
    assert len(load_key()) == KEY_BYTES


def test_a_named_file_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(KEY, str(tmp_path / "file" / "key"))
    with pytest.raises(BadInput, match="cannot be read or made"):
        load_key()


def test_a_key_that_lies_among_the_reports_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "reports" / "acme" / "key"
    path.parent.mkdir(parents=True)
    path.write_bytes(secrets.token_bytes(KEY_BYTES))
    path.chmod(0o600)
    monkeypatch.setenv("MENTORING_REPORTS", str(tmp_path / "reports"))
    monkeypatch.setenv("MENTORING_KEY", str(path))
    with pytest.raises(BadInput, match="among the reports"):
        load_key()
