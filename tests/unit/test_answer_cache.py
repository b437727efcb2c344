"""Answers kept on disk: found again by who made them, from the very same files; by nobody else, from no others."""

import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from studies import TINY_COMPANY, write_study
from test_report import acme, released, retention
from typer.testing import CliRunner

from analysis.answers.cache import CODE_BYTES, AnswerCache
from analysis.cli import app
from analysis.plan.errors import BadInput
from analysis.plan.faults import PACKAGE, Faults, Part
from analysis.plan.paths import notebooks_dir
from analysis.release.answer import Released
from analysis.report.drawn import DRAWN
from analysis.runs import answers, made_from


@pytest.fixture
def study(tmp_path, monkeypatch) -> Path:
    write_study(tmp_path / "data" / "acme", TINY_COMPANY)
    (tmp_path / "data" / "acme" / "registrations").mkdir()
    monkeypatch.setenv("MENTORING_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MENTORING_REPORTS", str(tmp_path / "reports"))
    return tmp_path / "data" / "acme"


@pytest.fixture
def cache(study) -> AnswerCache:
    return AnswerCache(study.parents[1] / "reports")


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """Count how often an answer is made; it is an invented one."""
    done: list[str] = []

    def answer(opened) -> Released:
        done.append(opened.study.study)
        return released(retention(), study=opened.study)

    monkeypatch.setattr("analysis.pipeline.answer", answer)
    monkeypatch.setattr(answers, "_runs_what_is_there", lambda: True)
    return done


def parts(study: Path) -> dict[str, str]:
    return made_from.answered_from(study)


def kept(cache: AnswerCache, study: Path) -> Released | None:
    return cache.kept("answer", study, parts(study))


def rows(found: Released) -> list:
    return [row for finding in found.findings for row in finding.estimates]


def put(cache: AnswerCache, study: Path) -> Path:
    """Keep an invented answer to a study and return its file."""
    cache.keep(released(retention(), study=acme()), parts(study), {b"key": ("<svg/>", "A picture.")})
    [path] = cache.files()
    return path


# --- found again


def test_an_answer_is_found_again_with_its_pictures_wherever_the_study_lies(cache, study, monkeypatch):
    put(cache, study)
    DRAWN.pop(b"key", None)
    found = kept(cache, study)
    assert rows(found) == rows(released(retention())) and DRAWN.pop(b"key") == ("<svg/>", "A picture.")
    moved = study.rename(study.with_name("acme"))
    assert kept(cache, moved).study.folder == moved


def test_a_notebook_computes_once(study, made):
    told: list[str] = []
    first = answers.answered("acme", say=told.append)
    again = answers.answered("acme", say=told.append)
    assert made == ["acme"] and rows(first) == rows(again)
    assert told == ["reading and checking the data"]


@pytest.mark.parametrize("change", ["data", "study", "card", "plan", "code", "library", "settings", "blind"])
def test_where_what_an_answer_is_made_from_has_changed_by_a_byte_it_is_none(
    cache, study, made, change, tmp_path, monkeypatch
):
    code = tmp_path / "module.py"
    code.write_text("x = 1\n")
    monkeypatch.setattr(made_from, "code_files", lambda: [code])
    made_from.program.cache_clear()
    answers.answered("acme")
    assert made == ["acme"] and kept(cache, study) is not None
    {
        "data": lambda: append(next(study.rglob("employees.csv")), "\n"),
        "study": lambda: append(study / "study.yaml", "#"),
        "card": lambda: append(next(study.glob("instruments/*.yaml")), "#"),
        "plan": lambda: append(study / "registrations" / "1.yaml", "#"),
        "code": lambda: append(code, "#"),
        "library": lambda: monkeypatch.setattr(made_from.platform, "python_version", lambda: "9.9.9"),
        "settings": lambda: monkeypatch.setenv("MENTORING_OVERRIDES", '{"min_cell": 12}'),
        "blind": lambda: monkeypatch.setenv("MENTORING_BLIND", "1"),
    }[change]()
    made_from.program.cache_clear()
    assert kept(cache, study) is None
    monkeypatch.undo()
    made_from.program.cache_clear()


def test_a_changed_study_is_answered_anew(study, made):
    answers.answered("acme")
    append(next(study.rglob("employees.csv")), "\n")
    answers.answered("acme")
    assert made == ["acme", "acme"]


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_what_a_notebook_shows_is_no_part_of_what_a_report_is_made_from(tmp_path, monkeypatch):
    """Who runs a notebook in JupyterLab changes its outputs: no report need be made again; its questions count."""
    shutil.copytree(notebooks_dir(), tmp_path / "notebooks")
    monkeypatch.setattr(made_from, "notebooks_dir", lambda: tmp_path / "notebooks")
    asked = made_from._of_notebooks.__wrapped__
    before, path = asked(), tmp_path / "notebooks" / "07_summary.ipynb"
    text = path.read_text(encoding="utf-8")
    assert '"output_type": "stream"' in text and "three_sentences" in text
    path.write_text(text.replace('"output_type": "stream"', '"output_type": "other"'), encoding="utf-8")
    assert asked() == before
    path.write_text(text.replace("three_sentences", "four_sentences"), encoding="utf-8")
    assert asked() != before


def test_an_answer_is_not_kept_under_what_it_was_not_made_from(study, made, monkeypatch, cache):
    """The data change while they are read, or the process runs older code than there is."""
    monkeypatch.setattr(answers, "_runs_what_is_there", lambda: False)
    answers.answered("acme")
    assert cache.files() == []
    monkeypatch.setattr(answers, "_runs_what_is_there", lambda: True)
    seen = iter([parts(study), parts(study) | {"data": "other"}])
    monkeypatch.setattr(answers, "answered_from", lambda _: next(seen))
    answers.answered("acme")
    assert cache.files() == []


def test_older_code_than_there_is_is_seen(tmp_path, monkeypatch):
    code = tmp_path / "module.py"
    code.write_text("x = 1\n")
    monkeypatch.setattr(answers, "code_files", lambda: [code])
    started = psutil.Process().create_time()
    os.utime(code, (started - 10, started - 10))
    assert answers._runs_what_is_there()
    os.utime(code, (started + 10, started + 10))
    assert not answers._runs_what_is_there()


def test_what_a_fault_took_away_and_what_a_database_held_are_not_kept(cache, study):
    fault = Faults("acme").add(Part("analysis", "x"), ValueError())
    cache.keep(replace(released(retention(), study=acme()), faults=(fault,)), parts(study))
    query = {"table": "employees", "query": "SELECT 1", "url_env": "URL", "profile": "canonical"}
    cache.keep(released(retention(), study=acme(sources=[query])), parts(study))
    assert cache.files() == []


def test_a_name_that_is_a_path_leads_nowhere(study, made):
    with pytest.raises(BadInput, match="is not a study's name"):
        answers.answered("../data/acme")
    assert made == []


# --- for its owner's eyes, and from nobody else's hand


def test_files_are_for_their_owner_alone_and_no_repository(cache, study):
    path = put(cache, study)
    assert path.stat().st_mode & 0o777 == 0o600 and cache.folder.stat().st_mode & 0o777 == 0o700
    assert (cache.folder / ".gitignore").read_text() == "*\n"
    assert sorted(p.name for p in cache.folder.iterdir()) == [".gitignore", path.name]


class Attack:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_forged_file_is_never_unpickled(cache, study, tmp_path):
    path, trace = put(cache, study), tmp_path / "trace"
    content = path.read_bytes()
    forged = pickle.dumps(Attack(trace))
    pickle.loads(forged)
    assert trace.exists(), "the attack works"
    trace.unlink()
    for code in (content[:CODE_BYTES], bytes(CODE_BYTES), b""):
        path.write_bytes(code + forged)
        assert kept(cache, study) is None and not trace.exists()


def broken(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[CODE_BYTES + 50] ^= 1
    path.write_bytes(content)


def linked(path: Path) -> None:
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


@pytest.mark.parametrize(
    "spoil",
    [
        broken,
        changed,
        linked,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"an older format"),
        lambda path: path.chmod(0o620),
        lambda path: path.chmod(0o602),
        lambda path: path.parent.chmod(0o777),
    ],
)
def test_a_file_that_is_broken_or_that_others_may_write_is_none_and_is_made_again(cache, study, made, spoil):
    spoil(put(cache, study))
    assert kept(cache, study) is None
    answers.answered("acme")
    assert made == ["acme"]


def test_an_answer_of_another_user_is_none(cache, study, tmp_path, monkeypatch):
    path = put(cache, study)
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    assert kept(cache, study) is None
    monkeypatch.undo()
    monkeypatch.setenv("MENTORING_KEY", str(tmp_path / "key-of-another-user"))
    assert cache.kept("answer", study, parts(study)) is None


def test_one_studys_file_under_anothers_name_is_none(cache, study):
    path = put(cache, study)
    write_study(study.with_name("other"), TINY_COMPANY)
    other = study.with_name("other")
    shutil.copy(path, path.with_name(path.name.replace("acme", "other")))
    assert kept(cache, other) is None
    assert cache.kept("plan", study, parts(study)) is None


def test_a_newer_answer_takes_the_place_of_an_older_one(cache, study):
    put(cache, study)
    append(study / "study.yaml", "#")
    put(cache, study)
    assert len(cache.files()) == 1 and kept(cache, study) is not None


def test_where_nothing_can_be_written_nothing_is_kept(cache, study):
    cache.reports.mkdir()
    cache.folder.write_text("a file")
    cache.keep(released(retention(), study=acme()), parts(study))
    assert cache.files() == [] and kept(cache, study) is None


def test_a_run_that_was_stopped_while_it_wrote_leaves_the_older_answer(cache, study, monkeypatch):
    put(cache, study)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError()))
    cache.keep(released(study=acme()), parts(study))
    assert rows(kept(cache, study)) == rows(released(retention()))
    assert not list(cache.folder.glob(".new-*"))


def test_only_reports_and_notebooks_use_what_is_kept():
    """Nothing that is passed on is made from it: no shared ledger, no bundle, no report."""
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if "analysis.answers.cache" in path.read_text(encoding="utf-8")
    }
    assert users == {"pipeline/__init__.py", "runs/answers.py", "cli/cache.py"}
    assert ".kept(" not in (PACKAGE / "pipeline" / "__init__.py").read_text(encoding="utf-8")


# --- mentoring cache


def test_the_command_lists_and_clears(cache, study):
    put(cache, study)
    (cache.folder / ".new-left").write_text("x")
    listed = CliRunner().invoke(app, ["cache"])
    assert listed.exit_code == 0 and "acme" in listed.output and "answer" in listed.output
    cleared = CliRunner().invoke(app, ["cache", "--clear"])
    assert cleared.exit_code == 0 and "1 answer removed" in cleared.output
    assert not list(cache.folder.glob("*.answer")) and not list(cache.folder.glob(".new-*"))
    assert "No answer is kept" in CliRunner().invoke(app, ["cache"]).output
