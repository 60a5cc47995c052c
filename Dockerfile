# mssqlclient-mcp in a container: slim, as a user without rights, with drivers for both databases.
#
#   docker build -t mssqlclient-mcp .
#   docker run --rm -i -e DATABASE_URL mssqlclient-mcp                       over stdio, as a client starts it
#   docker run --rm -p 127.0.0.1:8000:8000 -e DATABASE_URL -e HTTP_BEARER_TOKEN \
#     -e HTTP_ALLOWED_HOSTS=localhost:8000 mssqlclient-mcp --transport http --host 0.0.0.0
FROM python:3.13-slim-bookworm AS build

WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE ./
COPY mssqlclient_mcp ./mssqlclient_mcp

# The extra "driver" is Microsoft's ODBC driver 18 for SQL Server, under Microsoft's licence. Without it (EXTRAS=postgres,http) SQL
# Server needs another driver: add tdsodbc (FreeTDS) to the step "ODBC" below.
ARG EXTRAS=postgres,driver,http
RUN python -m venv /opt/mssqlclient-mcp \
    && /opt/mssqlclient-mcp/bin/pip install --no-cache-dir --disable-pip-version-check ".[${EXTRAS}]"

FROM python:3.13-slim-bookworm

# --- ODBC: the driver manager, and the Kerberos library that Microsoft's driver loads. Not needed for PostgreSQL alone.
# Versions are those of the base image's release; pinning them would keep security updates out.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libodbc2 libgssapi-krb5-2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin mcp

COPY --from=build /opt/mssqlclient-mcp /opt/mssqlclient-mcp

ENV PATH=/opt/mssqlclient-mcp/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HEALTH_PORT=8081

USER 10001
WORKDIR /tmp
EXPOSE 8000

HEALTHCHECK --interval=30s --timeout=5s --start-period=15s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['HEALTH_PORT'] + '/health/live', timeout=4)"]

ENTRYPOINT ["mssqlclient-mcp"]
