#!/bin/sh
# Run the arguments with a Python 3.11 to 3.13 of this machine: python.sh -m MODULE ...
fits='import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
for attempt in look install; do
    for python in python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        # A version manager's stub may be there and still refuse to run: ask it.
        if "$python" -c "$fits" 2>/dev/null; then
            exec "$python" "$@"
        fi
    done
    if [ "$attempt" = look ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing Debian packages: python3 python3-venv"
        apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3 python3-venv >/dev/null
    fi
done
echo "zahlwerk: Python 3.11 to 3.13 is missing; run: sudo apt-get install -y python3 python3-venv" >&2
exit 1
