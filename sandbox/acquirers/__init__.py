"""Five fictional card acquirers: `python -m sandbox.acquirers A --port 9001 --journal FILE`. See PROTOCOL.md."""
