"""Variables set for a block are as they were after it."""

import os

import pytest

from analysis.plan.paths import environment


def test_variables_are_set_taken_out_and_put_back(monkeypatch):
    monkeypatch.setenv("ONE", "before")
    monkeypatch.delenv("TWO", raising=False)
    with pytest.raises(ValueError, match="stop"), environment(ONE=None, TWO="inside"):
        assert "ONE" not in os.environ and os.environ["TWO"] == "inside"
        raise ValueError("stop")
    assert os.environ["ONE"] == "before" and "TWO" not in os.environ
