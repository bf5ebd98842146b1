#!/bin/sh
# Makes .venv with the pinned packages. Called by make when requirements*.txt or constraints.txt changed.
# Whatever stops it says what to do.
set -eu

log=.local/setup.log
mkdir -p .local

stop() {
    printf '\n%s\n' "$1" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        new_enough "$PYTHON" || stop "PYTHON=$PYTHON is not Python 3.11 or newer."
        printf '%s' "$PYTHON"
        return
    fi
    for name in python3 python3.13 python3.12 python3.11 python; do
        if new_enough "$name"; then
            printf '%s' "$name"
            return
        fi
    done
    stop "Python 3.11 or newer is needed, and none was found. Install it (www.python.org), or name yours: make PYTHON=/path/to/python3"
}

make_venv() {
    python=$(find_python) || exit 1
    printf '%-18s' "python"
    if ! "$python" -m venv --clear .venv >"$log" 2>&1; then
        rm -rf .venv
        stop "$python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv. Details: $log"
    fi
    printf ' ok  %s\n' "$(.venv/bin/python --version)"
}

install_packages() {
    printf '%-18s' "packages"
    began=$(date +%s)
    # Which azure-functions depends on the Python, as requirements.txt says; the constraints know one of the two.
    grep -v '^azure-functions==' constraints.txt >.local/constraints.txt
    if ! .venv/bin/python -m pip install --disable-pip-version-check --retries 2 \
        -r requirements-dev.txt -c .local/constraints.txt >"$log" 2>&1; then
        if grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Network is unreachable|ProxyError|Max retries' "$log"; then
            stop "The Python packages could not be fetched: no package index can be reached. Connect to the network, or name your own index (PIP_INDEX_URL=https://...), then run the same command again. Details: $log"
        fi
        tail -n 5 "$log" >&2
        stop "The Python packages could not be installed. Details: $log"
    fi
    printf ' ok  %3s s\n' "$(($(date +%s) - began))"
}

# A half-made environment, or one of an older Python, is made anew.
if ! { new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; }; then
    make_venv
fi
install_packages
touch .venv/.ready
