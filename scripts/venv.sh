#!/bin/sh
# Make the virtual environment .venv with what the project and its tests need. Run by make, from the project's root.
# BASE_PYTHON names another Python to make it with:  make clean test BASE_PYTHON=python3.13
set -e

python=${BASE_PYTHON:-$(sh scripts/python.sh)} || {
    echo "No Python 3.10, 3.11, 3.12 or 3.13 was found. Install one:" >&2
    echo "  Debian, Ubuntu:  apt-get install python3 python3-venv      macOS:  brew install python@3.13" >&2
    exit 1
}

make_venv() {
    rm -rf .venv
    "$python" -m venv .venv
}

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    echo "Making .venv with $python ..."
    if ! make_venv >/dev/null 2>&1; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
            echo "Installing python3-venv ..."
            apt-get update -qq </dev/null
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv </dev/null >/dev/null
        fi
        make_venv || {
            echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2
            exit 1
        }
    fi
fi

echo "Installing $* into .venv ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" </dev/null
