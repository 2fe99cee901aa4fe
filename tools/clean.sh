#!/bin/sh
# Remove what can be made again. Data (var/, /var/lib/zahlwerk/*/home) is never touched.
cd "$(dirname "$0")/.." || exit 1
case "$(readlink .venv)" in
    /var/lib/zahlwerk/*) rm -rf "$(readlink .venv)" ;;
esac
rm -rf .venv .pytest_cache .ruff_cache .import_linter_cache .hypothesis .schemathesis
find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +
