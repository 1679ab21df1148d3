# syntax=docker/dockerfile:1
# The first stage installs and builds; the second contains the site without any build tools. It runs
# as an unprivileged user, on a read-only file system with a small /tmp (compose.yaml).
#
# The digest is that of Docker's record for this tag (docker-library/repo-info, commit 40cdaf34): an
# index of all platforms. For a newer one: docker buildx imagetools inspect python:3.11-slim-bookworm

FROM python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b AS build
WORKDIR /app
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements-runtime.txt ./
# The shipped environment does not contain pip.
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --requirement requirements-runtime.txt
COPY . /source
# Only packages, which are the applications, so that no other file of the folder gets into the image.
RUN sh /source/deploy/copy_packages /source /app
# Hashed and compressed for WhiteNoise. This requires no setting of the site.
RUN STATIC_ROOT=/app/staticfiles /venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && /venv/bin/python -m compileall -q /app /venv

FROM python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b
RUN python -m pip uninstall --yes pip \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/app/staticfiles \
    BIND=0.0.0.0:8000
USER 10001:10001
EXPOSE 8000
# /healthz tests the process only. A load balancer uses /readyz, which also tests its services.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# On SIGTERM, gunicorn completes the requests in progress.
STOPSIGNAL SIGTERM
CMD ["gunicorn", "--config", "deploy/gunicorn_config.py"]
