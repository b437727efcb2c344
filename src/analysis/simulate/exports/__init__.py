"""The canonical tables of a simulated company as vendors' tools export them, quirks included."""
