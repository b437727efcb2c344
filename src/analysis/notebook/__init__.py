"""What people work with in a notebook: a study opened by the notebook's parameters, its numbers, tables and figures."""

from analysis.notebook.choosing import picker, studies
from analysis.notebook.frames import NumbersFrame
from analysis.notebook.opening import planning_view, scales_view, study_view
from analysis.notebook.own import own_view
from analysis.notebook.view import StudyView

__all__ = ["NumbersFrame", "StudyView", "own_view", "picker", "planning_view", "scales_view", "studies", "study_view"]
