"""What a study cannot tell, whatever its numbers."""

from analysis.release.answer import Released
from analysis.report.wording import hypothesis_title, is_blind, is_money, is_randomized, is_scale


def limits(released: Released) -> list[str]:
    """Return, in sentences, what this study cannot tell; which of them apply depends on its design and its gaps."""
    findings = released.findings
    if any(is_blind(f) for f in findings):
        return ["Any effect: this report was made blind, and withholds them."]
    answered = [f for f in findings if f.primary.is_estimated]
    found = []
    if released.study.simulated:
        found.append("Anything about a real company: the data are simulated, to show what a report looks like.")
    if any(not is_randomized(f) for f in answered):
        found.append(
            "Whether those who started differed from their comparators in something that nobody recorded, such as "
            "ambition or a manager's support. Such a difference would be taken for an effect of the program. A lottery "
            "among applicants would settle it."
        )
    if any(is_randomized(f) for f in answered):
        found.append(
            "What taking part does to those who would not take it up. The lottery compares offers: it tells what "
            "offering a place changes, and offered people who never started are part of that answer."
        )
    if any(is_scale(f) for f in answered):
        found.append("How those who left, or did not answer the survey, would have answered.")
    if answered:
        found.append(
            "Whether colleagues who did not take part were affected too: if they were, the comparison understates or "
            "overstates the effect."
        )
        found.append("What another company, or another program, would find. One study is one case.")
    if any(is_money(f) for f in answered):
        found.append(
            "What the program is worth beyond replacement cost avoided: morale, skills, the time that people spent in "
            "meetings, and what an exit really costs are not in that sum."
        )
    silent = dict.fromkeys(
        hypothesis_title(f).lower() for f in findings if not any(a.hypothesis == f.hypothesis for a in answered)
    )
    if silent:
        found.append(f"Anything about {' or '.join(silent)}: there was nothing to estimate it from.")
    return found
