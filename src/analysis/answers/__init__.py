"""Released answers handed on: to the notebooks of a run, and to those that somebody opens later."""
