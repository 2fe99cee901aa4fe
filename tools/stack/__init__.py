"""The whole of Zahlwerk on one machine: embedded stores and one small supervisor.

`python -m tools.stack --help` lists the commands; the Makefile is the usual way in.
"""
