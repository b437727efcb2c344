"""Whether pages say what the ledgers hold: every number that names its row, and every verdict that is put in words."""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.results import Estimate, Finding
from analysis.report.pictures import slug
from analysis.report.wording import is_blind

VOID = {"img", "meta", "br", "link", "input", "hr"}
MINUS = "\u2212"
# What follows a difference without a sign, and the side on which it then lies.
SIDES = {"less": -1, "fewer": -1, "lower": -1, "more": 1, "higher": 1}
SIDE = re.compile(r"^\s*(?:percentage points|points|days?)?\s*(less often|fewer|lower|more often|more|higher)\b")
# An interval, or a p-value, that stands in a sentence without naming its row.
LOOSE = re.compile(rf"\[[+{MINUS}]?[\d.,]+,\s[+{MINUS}]?[\d.,]+\]|\bp [<=>] [\d.]+")
# Verdicts as chips and sentences have them, and the verdict that a finding of which it is said must have.
WORDS = {
    r"\bSupported\b|\bsupports the claim\b|\bSaves more than it costs\b|\bsaves more than it costs\b": "supported",
    r"\bHarmful\b|\bpoints the wrong way\b": "harmful",
    r"\bNegligible\b|\bsmallest effect of interest, in either direction\b": "negligible",
    r"\bNo benefit\b|\bCosts more than it saves\b|\bcosts more than it saves\b|\bis ruled out\b": "no_benefit",
    r"\bInconclusive\b": "inconclusive",
    r"\bNot estimable\b": "not_estimable",
    r"\bSuppressed\b": "suppressed",
}


class Number(NamedTuple):
    """A number on a page: its row's id and column, as it is written, and the words behind it."""

    row: str
    column: str
    text: str
    behind: str


class _Page(HTMLParser):
    """Collects marked numbers, the text outside of them, and the text of every element that tells of a finding."""

    def __init__(self, page: str):
        super().__init__()
        self.open: list[tuple[str, dict]] = []
        self.numbers: list[list[str]] = []
        self.of_findings: dict[str, list[str]] = {}
        self.loose: list[str] = []
        self.feed(re.sub(r"<style>.*?</style>|<script>.*?</script>", "", page, flags=re.DOTALL))

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))
            if "data-row" in self.open[-1][1]:
                self.numbers.append([*(self.open[-1][1][n] or "" for n in ("data-row", "data-column")), "", ""])

    def handle_endtag(self, tag):
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data):
        tags = [tag for tag, _ in self.open]
        is_number = bool(self.open) and "data-row" in self.open[-1][1]
        if is_number:
            self.numbers[-1][2] += data
        elif self.numbers:
            self.numbers[-1][3] += data
        about = [attributes["data-finding"] for _, attributes in self.open if "data-finding" in attributes]
        if about:
            self.of_findings.setdefault(about[-1], []).append(data)
        if not is_number and "table" not in tags:
            self.loose.append(data)


def numbers(page: str) -> list[Number]:
    """Return the numbers of a page that name their rows."""
    return [Number(*found) for found in _Page(page).numbers]


def number_complaints(page: str, rows: Mapping[str, Estimate]) -> Iterator[str]:
    """Yield where a page has another number than the row that it names, and where a number names no row."""
    for number in numbers(page):
        row = rows.get(number.row)
        if row is None:
            yield f"{number.text!r} names a row that is not in the ledger: {number.row}"
        elif not agrees(number, row):
            yield f"{number.text!r}{number.behind[:20]!r} is {getattr(row, number.column)} in {number.row}"
    text = unescape("".join(_Page(page).loose))
    yield from (f"{found[0]!r} names no row: …{text[max(0, found.start() - 60) : found.end()]!r}"
                for found in LOOSE.finditer(text))  # fmt: skip


def agrees(number: Number, row: Estimate) -> bool:
    """Whether a number is that of its row, as it is rounded, and lies on the side that is said."""
    value, text = getattr(row, number.column), number.text.replace(",", "").replace(MINUS, "-")
    if value is None:
        return False
    if number.column in ("p_value", "p_adjusted"):
        sign, said = re.match(r"p ([<=>]) ([\d.]+)$", text).groups()
        limit = float(said)
        if sign != "=":
            return value < limit if sign == "<" else value > limit
        return abs(value - limit) <= half_a_step(said)
    scale = CATALOGUE.measure(row.measure).scale if number.column in ("estimate", "ci_low", "ci_high") else 1
    shown, exact = float(text), scale * value
    if text[0] not in "+-":
        side = SIDE.match(number.behind)
        if side and SIDES[side[1].split()[0]] * exact < -half_a_step(text):
            return False
        shown, exact = abs(shown), abs(exact)
    if row.measure == "net_benefit" and number.column in ("estimate", "ci_low", "ci_high"):
        # Two digits of the standard error; an end beside zero may be a whole step off, to stay on its side.
        step = max(1.0, 10.0 ** (len(str(int(row.std_error))) - 2))
        return abs(shown - exact) <= (step if shown == step else step / 2 + 1e-9) and shown % step == 0
    return abs(shown - exact) <= half_a_step(text)


def half_a_step(text: str) -> float:
    """Return half of a number's last digit, and a little more for what a double cannot hold."""
    return 0.5 * 10 ** -len(text.partition(".")[2]) + 1e-9


def verdict_complaints(page: str, findings: Iterable[Finding]) -> Iterator[str]:
    """Yield every sentence about a finding in which it has another verdict than its own."""
    by_slug = {slug(finding): finding for finding in findings}
    for about, texts in _Page(page).of_findings.items():
        finding = by_slug[about]
        text = " ".join("".join(texts).split())
        for pattern, verdict in WORDS.items():
            for found in re.finditer(pattern, text):
                if verdict != finding.verdict or is_blind(finding):
                    yield f"{about} is {finding.verdict}: {text[max(0, found.start() - 60) : found.end() + 20]!r}"


def page_complaints(pages: Mapping[str, str], findings: Iterable[Finding]) -> list[str]:
    """Return what pages say that the ledgers do not hold, with the file."""
    findings = list(findings)
    rows = {row.row: row for finding in findings for row in finding.estimates}
    return [
        f"{file}: {said}"
        for file, page in pages.items()
        for said in (*number_complaints(page, rows), *verdict_complaints(page, findings))
    ]
