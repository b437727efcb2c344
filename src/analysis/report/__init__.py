"""Draws and writes, computes nothing: tables, figures, prose, notebooks executed, HTML."""
