#!/bin/sh
# Print the path of a Python interpreter: "python.sh 3.12" one of that version, "python.sh" the best one for this project
# (3.10 to 3.13, the newest first, but the one that is "python3" before all). Prints nothing and fails when there is none.
# Looks in PATH, in the usual places of macOS, and among pyenv's versions.

runs_as() { # program, version: whether the program runs (shims may not) and is of that version
    "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" >/dev/null 2>&1
}

pyenv_root() {
    if [ -n "$PYENV_ROOT" ]; then
        echo "$PYENV_ROOT"
    elif command -v pyenv >/dev/null 2>&1; then
        pyenv root
    else
        echo "$HOME/.pyenv"
    fi
}

find_version() {
    for program in "python$1" python3 python "/usr/bin/python$1" /usr/bin/python3 "/usr/local/bin/python$1" \
        "/opt/homebrew/bin/python$1" "$(pyenv_root)/versions/$1".*/bin/python; do
        if runs_as "$program" "$1"; then
            "$program" -c "import sys; print(sys.executable)"
            return 0
        fi
    done
    return 1
}

if [ -n "$1" ]; then
    find_version "$1"
    exit
fi

default=$(python3 -c "import sys; print('%d.%d' % sys.version_info[:2])" 2>/dev/null)
case "$default" in
    3.10 | 3.11 | 3.12 | 3.13) find_version "$default" && exit 0 ;;
esac
for version in 3.13 3.12 3.11 3.10; do
    find_version "$version" && exit 0
done
exit 1
