"""How people come into a program: what decides who starts, and so who can be compared with whom."""

from enum import StrEnum


class Assignment(StrEnum):
    """What decided who was offered a place, and when."""

    LOTTERY = "lottery"
    WAITLIST = "waitlist"
    ROLLOUT = "rollout"
    SELF_SELECTED = "self_selected"

    @property
    def is_randomized(self) -> bool:
        """Whether lots decided."""
        return self in (Assignment.LOTTERY, Assignment.WAITLIST)

    @property
    def by_unit(self) -> bool:
        """Whether units were reached in turn."""
        return self is Assignment.ROLLOUT

    @property
    def by_choice(self) -> bool:
        """Whether people decided for themselves."""
        return self is Assignment.SELF_SELECTED
