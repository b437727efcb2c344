"""The company's files, as its systems and people wrote them."""

from pathlib import Path

from realistic_company.company import Realistic
from realistic_company.hr_files import absences, headcount, workers
from realistic_company.pair_list import meetings, pair_list
from realistic_company.survey_files import CARD, survey


def write_files(found: Realistic, folder: Path) -> None:
    """Write every file of the first day into a folder: HR system, snapshots, absences, surveys, pairs, meetings."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "workers.xlsx").write_bytes(workers(found))
    (folder / "headcount.csv").write_text(headcount(found), encoding="utf-8")
    (folder / "absences.csv").write_text(absences(found), encoding="utf-8")
    for wave in (1, 2):
        (folder / f"pulse_{wave}.csv").write_text(survey(found, wave), encoding="utf-8")
    (folder / "pulse_3_en.csv").write_text(survey(found, 3, "en"), encoding="utf-8")
    (folder / "pulse_3_de.csv").write_text(survey(found, 3, "de"), encoding="utf-8")
    (folder / "pairs.xlsx").write_bytes(pair_list(found))
    (folder / "meetings.csv").write_text(meetings(found), encoding="utf-8")
    (folder / "pulse.yaml").write_text(CARD, encoding="utf-8")
