#!/bin/sh
# See to it that an ODBC driver manager and FreeTDS are there, for the tests of SQL Server: on Debian and Ubuntu as root they
# are installed, elsewhere the command is said. Nothing else needs them.

loads_pyodbc() { .venv/bin/python -c "import pyodbc" >/dev/null 2>&1; }

has_freetds() {
    for file in /usr/lib/*/odbc/libtdsodbc.so /usr/lib/libtdsodbc.so* /usr/lib64/libtdsodbc.so* \
        /usr/local/lib/libtdsodbc.* /opt/homebrew/lib/libtdsodbc.*; do
        [ -e "$file" ] && return 0
    done
    return 1
}

loads_pyodbc && has_freetds && exit 0

if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        echo "Installing libodbc2 and tdsodbc ..."
        apt-get update -qq </dev/null &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libodbc2 tdsodbc </dev/null >/dev/null
    else
        echo "For the tests of SQL Server install ODBC and FreeTDS:  sudo apt-get install libodbc2 tdsodbc"
    fi
elif [ "$(uname)" = Darwin ]; then
    echo "For the tests of SQL Server install ODBC and FreeTDS:  brew install unixodbc freetds"
else
    echo "For the tests of SQL Server install unixODBC and FreeTDS with your package manager."
fi

loads_pyodbc || echo "Without an ODBC library, tests that need one are skipped."
exit 0
