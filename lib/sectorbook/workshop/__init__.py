"""The workshop edition. In a participant's notebook: `team` names the team, `checks` gives a chapter's `check`."""

from sectorbook.workshop.room import checks, team

__all__ = ["checks", "team"]
